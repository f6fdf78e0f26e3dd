// Package report says how runs went: as one JSON object for programs, as a
// table, a timeline and a summary for people.
//
// Everything here turns data into text and does nothing else: no file, no
// terminal, no clock. Writers' errors are left to the caller's writer, which is
// expected to remember them.
package report

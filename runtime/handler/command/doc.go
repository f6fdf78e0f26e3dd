// Package command runs one external program for a task: an argument list
// without a shell, bytes in on standard input, bytes out from standard output.
//
// It promises that nothing of the command outlives [Run]. Where the platform
// has process groups (Unix) the command leads a group of its own, which is
// killed when the context ends and once the command has ended; on Linux it is
// also killed when the calling process dies. Output, memory and waiting are
// bounded.
//
// It never starts a shell, never adds to the environment, and never reports
// success for a command that was cut short.
package command

// Package savina asks how actors compare with goroutines and channels: the classic actor benchmarks after Savina (Imam and
// Sarkar, 2014), and some that it lacks: ask, memory, load, fairness, idling. Each question has a file of its own with two
// sides, Ringmill's actors and the same thing with a goroutine and a channel for each actor. Scenarios lists them all.
//
// It is a package so that the module of peers can measure the same Ringmill side beside other libraries, in one run.
package savina

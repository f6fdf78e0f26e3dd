// Package mailbox holds the bounded queues that carry messages to an actor.
//
// [MPSC] is a lock-free ring with many producers and one consumer at a time. Its
// capacity is exact for any number from 1, a refusal always means full, a batch
// of messages costs one claim and one publishing store, and nothing is allocated
// per message.
//
// The package imports the standard library only and starts no goroutine.
package mailbox

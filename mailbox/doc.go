// Package mailbox holds the bounded queues that carry messages to an actor.
//
// # What to choose
//
// [MPSC] is the mailbox of actors that a scheduler runs: a ring with many producers, lock-free in its
// claim, and one consumer at a time. Its capacity is exact for any number from 1, a refusal always means full, a batch of messages costs one claim
// and one publishing store, and a run of messages leaves with one store too.
//
// [Mailbox] adds what a goroutine of its own needs: Dequeue sleeps until there is a message, or polls on a core of its own,
// and an overflow policy says what happens to a message that finds no room.
//
// [Priority] is four MPSC rings, for four levels that share the consumer 8:4:2:1 and starve nobody.
//
// [NewKind] makes a queue by name, to compare the ring with a Go channel, a mutex and, if the program imports
// mailbox/workiva, the ring buffer of go-datastructures.
//
// # What to rely on
//
// Everything is bounded. Full is an answer, [ErrFull], never a spin; only methods that take a context wait. Closing loses
// nothing: what was accepted before Close is delivered. Nothing is allocated per message. An MPSC or a Mailbox takes at
// most 256 bytes until its first message, a Priority four times an MPSC, the other kinds their whole queue; a goroutine that
// waits in Dequeue adds the channel it sleeps on, 112 bytes. No message is kept alive once it has been dequeued.
//
// A batch goes in whole or up to the place where the mailbox is full, with nothing in between, and becomes visible at once;
// EnqueueBatch of a Mailbox that waits adds such parts. Of the kinds by name only mpsc and mutex know batches: see [Queue].
//
// # What the package never does
//
// It starts no goroutine, reads no clock, and imports only the standard library. It does not promise that a message is
// visible as soon as its enqueue has returned: an earlier producer that was descheduled between claiming its place
// and publishing it hides the later ones until it runs again. See [MPSC].
package mailbox

// Package limit holds the policies that spread work over time and bound how much
// of it happens at once.
//
// A [Rate] spreads: so many calls a second, with a burst. It hands out places in
// time, and the caller does the waiting. A [Concurrency] bounds: so many calls at
// once for each key, such as a customer or a database; who finds no room is
// called when there is some. Neither owns a goroutine or a timer, and nothing here
// blocks.
package limit

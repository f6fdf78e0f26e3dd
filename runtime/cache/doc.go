// Package cache keeps results of earlier work, bounded in number and in time, and
// lets those who want the same result at the same time share one execution.
//
// [Cache.Do] is for callers that may wait. [Cache.Begin] is for those that may
// not: it tells them to use a result, to make it and report it with
// [Cache.Succeed] or [Cache.Fail], or that they will be called once another one has.
//
// The store is github.com/maypok86/otter/v2 (W-TinyLFU). Nothing here owns a
// goroutine or a timer: what has expired is dropped by later calls.
package cache

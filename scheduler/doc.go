// Package scheduler decides who gets the work and which goroutine runs it.
//
//   - [Executor] runs activations (actors that have messages) on a bounded number
//     of goroutines. Use one whose activations never block, and one with Blocking
//     set for user code, so that a sleeping task delays no actor.
//   - [IdlePool] gives each item of work to an idle member and queues what finds
//     nobody idle: use it when items take long or very different times.
//   - [RoundRobin] deals in strict turns: use it when every member can take
//     work at any time and items are short.
//
// The package starts goroutines only in NewExecutor and on behalf of Schedule, and
// Executor.Stop waits for them. It never blocks in Schedule or Assign, never polls,
// never sleeps, and never drops an activation.
package scheduler

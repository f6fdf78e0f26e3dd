// Package scheduler decides who gets the work and which goroutine runs it.
//
//   - [Executor] runs activations (actors that have messages) on a bounded number
//     of goroutines. Use one whose activations never block, and one with Blocking
//     set for user code, so that a sleeping task delays no actor.
//   - [IdlePool] gives each item of work to an idle member and queues what finds
//     nobody idle: use it when items take long or very different times.
//   - [RoundRobin] deals in strict turns: use it when every member can take
//     work at any time and items are short.
//   - [NewPolicy] makes one of these, or another way of choosing, by name: use it where
//     users should decide. PolicyHash keeps the items of a key in order.
//   - [PriorityQueue] orders work by four levels and by deadlines, starves none, and
//     drops what is too late before it runs.
//   - [Wheel] has the timers: use it for timeouts, which are started by the million
//     and seldom fire, and its [DeadlineContext] where a context is wanted.
//   - [Sizer] says how many members a pool should have, from what is observed.
//
// The package starts goroutines only in NewExecutor, on behalf of Schedule, for a Wheel
// when a timer is due, and for the AfterFuncs of a context that has ended; Executor.Stop and
// Wheel.Stop wait for theirs. It never blocks in Schedule or Assign, never polls, never
// sleeps, and never drops an activation.
package scheduler

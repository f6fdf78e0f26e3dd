// Package fuel rewrites a WebAssembly module so that its host can stop it, see
// how deep its stack went, and take grown memory back.
//
// Machine code that wazero made from a module is not preemptible by Go: a loop
// in it holds up every stop-the-world of the whole process. [Rewrite] puts a
// counter in front of every loop body and every bulk memory operation. When the
// counter runs out, the module calls its own import env.host_interrupt, which is
// ordinary Go and so lets the scheduler and the collector in; a result other
// than zero makes the module trap.
//
// The package knows the instructions of WebAssembly 2.0 without SIMD and refuses
// everything else.
package fuel

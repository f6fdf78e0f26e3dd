//go:build unix

package js

import "golang.org/x/sys/unix"

// limitCompiler bounds the process by means of the kernel: it dies where a source makes
// the compiler take more. What the system does not allow is left to the one that waits.
func limitCompiler() {
	const seconds, data = 10, 1 << 30
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds})
	_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: data, Max: data})
}

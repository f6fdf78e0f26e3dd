package js_test

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// threadStack is what the C library reserves for each thread, of which Go uses a few KB. RLIMIT_DATA counts
// reservations: at the usual 8 MB a handful of threads more, as on a busy machine, would leave the guests too little.
const threadStack = 1 << 20

// limitData bounds the process's private memory. It starts the process again, once, since stacks of threads have the
// size that the process began with.
func limitData(bytes uint64) error {
	if raceEnabled {
		return nil // the race detector's shadow memory counts as well
	}
	var stack unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &stack); err != nil {
		return err
	}
	if stack.Cur > threadStack {
		stack.Cur = threadStack
		if err := unix.Setrlimit(unix.RLIMIT_STACK, &stack); err != nil {
			return err
		}
		return unix.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes})
}

// residentPeak is the most that the process had in memory, in bytes.
func residentPeak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// openFiles and mappings count what the process has open and mapped.
func openFiles() int {
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list)
}

func mappings() int {
	text, _ := os.ReadFile("/proc/self/maps")
	return strings.Count(string(text), "\n")
}

// residentNow is what the process has in memory, in bytes.
func residentNow() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

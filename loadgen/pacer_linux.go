package loadgen

import (
	goruntime "runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A threadPacer has an operating system thread of its own, whose sleeps end on time
// (timer slack 1 ns instead of 50 us) and are followed by a spin.
type threadPacer struct{}

func newPacer() pacer { return threadPacer{} }

func (threadPacer) name() string { return "thread" }

func (threadPacer) begin() {
	goruntime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it sleeps are later; the lag that is reported says so
}

// end leaves the goroutine locked: its thread, with the slack it has, ends with it.
func (threadPacer) end() {}

func (threadPacer) until(start time.Time, at time.Duration, stop *atomic.Bool) {
	for !stop.Load() {
		rest := at - time.Since(start) - spinTail
		if rest <= 0 {
			break
		}
		sleep := unix.NsecToTimespec(int64(min(rest, longestSleep)))
		_ = unix.Nanosleep(&sleep, nil) // an interrupted sleep is looked at again
	}
	spinUntil(start, at, stop)
}

func (threadPacer) cpu() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

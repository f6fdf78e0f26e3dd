package loadgen

import (
	"bytes"
	goruntime "runtime"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A threadPacer has an operating system thread of its own, which the system prefers to
// the other threads where it may, whose sleeps end on time (timer slack 1 ns instead of
// 50 us), and which spins at their end.
type threadPacer struct {
	rank      string
	schedstat int           // file descriptor; negative if there is none
	scheduled time.Duration // since when the goroutine has had its processor
}

func newPacer() pacer { return &threadPacer{rank: rankEqual, schedstat: -1} }

func (*threadPacer) name() string { return "thread" }

func (p *threadPacer) preferred() string { return p.rank }

func (p *threadPacer) begin() {
	goruntime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it sleeps are later; the lag that is reported says so
	p.rank = preferThread()
	if fd, err := unix.Open("/proc/thread-self/schedstat", unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		p.schedstat = fd
	}
}

// end leaves the goroutine locked: its thread, with the rank and the slack it has, ends
// with it.
func (p *threadPacer) end() {
	if p.schedstat >= 0 {
		_ = unix.Close(p.schedstat)
		p.schedstat = -1
	}
}

// shortSlice is the time slice of a thread that may not go first, the shortest there
// is: of equals, the system lets it go first when it wakes.
const shortSlice = 100 * time.Microsecond

// preferThread asks the system to let the calling thread go before those of the load's
// target. Any thread that the runtime wakes may otherwise take the core on which the
// generator spins: 9,000 times in two seconds at 100,000/s on two cores, for 70 us each. It
// takes the right to do so (CAP_SYS_NICE or RLIMIT_RTPRIO), and a second core for the others.
// What the thread has ends with it, and threads made by it do not inherit it.
func preferThread() (rank string) {
	now, err := unix.SchedGetAttr(0, 0)
	if err != nil || now.Policy != unix.SCHED_NORMAL { // it was ranked by somebody who knows why
		return rankEqual
	}
	first := unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if goruntime.NumCPU() > 1 && unix.SchedSetAttr(0, &first, 0) == nil {
		return rankFirst
	}
	now.Runtime, now.Flags = uint64(shortSlice), unix.SCHED_FLAG_RESET_ON_FORK
	if unix.SchedSetAttr(0, now, 0) == nil { // systems before 6.12 accept it and do nothing
		return rankSlice
	}
	return rankEqual
}

// Go takes the processor from a goroutine that has had it for 10 ms, and to get one that is
// locked to its thread going again takes two other threads. So the generator gives the
// processor up where it has time for that: in gaps that are long enough it sleeps in a system
// call until so long before the arrival that it can get a processor again, and in shorter ones
// it yields once a turn. It does not sleep with Go's timers: another thread would have to wake
// it, and that one does not go first.
const (
	turn     = 5 * time.Millisecond
	lead     = 4 * time.Millisecond
	yieldGap = 500 * time.Microsecond
)

func (p *threadPacer) until(start time.Time, at time.Duration, stop *atomic.Bool) {
	for !stop.Load() {
		now := time.Since(start)
		rest := at - now - spinTail
		switch {
		case rest > lead:
			sleep := unix.NsecToTimespec(int64(min(rest-lead, longestSleep)))
			_ = unix.Nanosleep(&sleep, nil) // an interrupted sleep is looked at again
			p.scheduled = time.Since(start)
		case rest > yieldGap && now-p.scheduled > turn:
			goruntime.Gosched()
			p.scheduled = time.Since(start)
		case rest > 0:
			holdAndSleep(rest)
		default:
			spinUntil(start, at, stop)
			return
		}
	}
}

// holdAndSleep sleeps without telling Go, for the lead at most: a thread in a system call
// that Go knows of may lose its processor, and then has to wait for one at its end. A
// collection that stops the world ends the sleep with a signal.
func holdAndSleep(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0) // an interrupted sleep is looked at again
}

func (*threadPacer) cpu() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// waited is the second number of schedstat: nanoseconds that the thread could run and had no
// core.
func (p *threadPacer) waited() (time.Duration, bool) {
	if p.schedstat < 0 {
		return 0, false
	}
	var buf [96]byte
	n, err := unix.Pread(p.schedstat, buf[:], 0)
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(buf[:n])
	if len(fields) < 2 {
		return 0, false
	}
	ns, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return time.Duration(ns), err == nil
}

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
	first     bool          // it goes before the others now
	schedstat int           // file descriptor; negative if there is none
	scheduled time.Duration // since when the goroutine has had its processor
	awake     time.Duration // since when it has not slept for long
}

func newPacer() pacer { return &threadPacer{rank: rankEqual, schedstat: -1} }

func (*threadPacer) name() string { return "thread" }

func (p *threadPacer) preferred() string { return p.rank }

func (p *threadPacer) begin() {
	goruntime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it sleeps are later; the lag that is reported says so
	p.prefer(false)
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

// longestFirst is for how long the thread may go first without a sleep. The system takes 50 ms of each second, at once, from a
// thread that goes first and never sleeps: then an equal is late less often.
const longestFirst = 20 * time.Millisecond

// prefer asks the system to let the calling thread go before those of the load's
// target: any thread that the runtime wakes may otherwise take the core on which the
// generator is about to send. To go first takes
// the right to do so (CAP_SYS_NICE or RLIMIT_RTPRIO), a second core for the others, and sleeps.
// What the thread has ends with it, and threads made by it do not inherit it.
func (p *threadPacer) prefer(sleeps bool) {
	if p.rank == rankOther || sleeps && p.rank == rankSlice {
		return
	}
	now, err := unix.SchedGetAttr(0, 0)
	if err != nil || p.rank == rankEqual && now.Policy != unix.SCHED_NORMAL { // it was ranked by somebody who knows why
		p.rank = rankOther
		return
	}
	if sleeps {
		first := unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
		if goruntime.NumCPU() > 1 && unix.SchedSetAttr(0, &first, 0) == nil {
			p.rank, p.first = rankFirst, true
			return
		}
	}
	p.first = false
	slice := unix.SchedAttr{Policy: unix.SCHED_NORMAL, Runtime: uint64(shortSlice), Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if unix.SchedSetAttr(0, &slice, 0) != nil { // systems before 6.12 accept it and do nothing
		return
	}
	p.rank = rankSpins
	if sleeps {
		p.rank = rankSlice // for good: it may not go first
	}
}

// slept notes that the thread has slept, or is about to, for so long.
func (p *threadPacer) slept(now, d time.Duration) {
	p.awake = now + d
	if !p.first && d > yieldGap {
		p.prefer(true)
	}
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
			p.slept(now, rest-lead)
			sleep := unix.NsecToTimespec(int64(min(rest-lead, longestSleep)))
			_ = unix.Nanosleep(&sleep, nil) // an interrupted sleep is looked at again
			p.scheduled = time.Since(start)
		case rest > yieldGap && now-p.scheduled > turn:
			goruntime.Gosched()
			p.scheduled = time.Since(start)
		case rest > 0:
			p.slept(now, rest)
			holdAndSleep(rest)
		default:
			if p.first && now-p.awake > longestFirst {
				p.prefer(false)
			}
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

package scheduler

import (
	"bytes"
	goruntime "runtime"
	"sync"
	"time"
)

// A Stall is an activation that holds its worker for too long; see ExecutorConfig.StallAfter.
type Stall struct {
	Activation Activation
	Held       time.Duration // so far, within half of StallAfter; it may go on
	Stack      []byte        // of the worker's goroutine at this moment; nil if it was not found
}

// maxStackDump bounds the dump of all goroutines in which that of a stalled worker is
// looked for: some 10,000 goroutines.
const maxStackDump = 8 << 20

// stallDetector looks twice in StallAfter at what each worker holds. It does so only
// while there are workers: the first one to come arms the timer, and a look that finds
// none does not arm it again.
type stallDetector struct {
	after   time.Duration
	onStall func(Stall)
	timer   *time.Timer

	mu    sync.Mutex
	holds map[*hold]struct{}
	armed bool
}

// hold is what one worker holds. The worker takes mu for a few stores, which nobody
// contends but the detector.
type hold struct {
	goroutine []byte // "goroutine 7 ", as a stack begins

	mu         sync.Mutex
	activation Activation // nil between two slices
	slice      uint64     // counts slices

	// Belong to the detector.
	seen     uint64
	since    time.Time
	reported bool
}

func newStallDetector(after time.Duration, onStall func(Stall)) *stallDetector {
	d := &stallDetector{after: after, onStall: onStall, holds: make(map[*hold]struct{})}
	d.timer = time.AfterFunc(time.Hour, d.look)
	d.timer.Stop()
	return d
}

func (h *hold) begin(a Activation) {
	h.mu.Lock()
	h.activation = a
	h.slice++
	h.mu.Unlock()
}

func (h *hold) end() {
	h.mu.Lock()
	h.activation = nil
	h.mu.Unlock()
}

// newHold makes what a worker is seen by; the worker calls it on its goroutine.
func (d *stallDetector) newHold() *hold { return &hold{goroutine: goroutineHeader()} }

// enter has the detector look at a worker, until leave.
func (d *stallDetector) enter(h *hold) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holds[h] = struct{}{}
	d.arm()
}

func (d *stallDetector) leave(h *hold) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.holds, h)
}

// arm needs mu.
func (d *stallDetector) arm() {
	if !d.armed {
		d.armed = true
		d.timer.Reset(d.after / 2)
	}
}

// look runs on the timer's goroutine; there is one look at a time.
func (d *stallDetector) look() {
	var stalls []Stall
	var stalled []*hold
	now := time.Now()
	d.mu.Lock()
	for h := range d.holds {
		if a, ok := h.exceeds(d.after, now); ok {
			stalls = append(stalls, Stall{Activation: a, Held: now.Sub(h.since)})
			stalled = append(stalled, h)
		}
	}
	d.mu.Unlock()
	if len(stalls) > 0 {
		dump := allStacks()
		for i, h := range stalled {
			stalls[i].Stack = stackOf(dump, h.goroutine)
			d.onStall(stalls[i])
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed = false; len(d.holds) > 0 {
		d.arm()
	}
}

// exceeds reports whether the worker has been in one slice for longer than after, once for each slice.
func (h *hold) exceeds(after time.Duration, now time.Time) (Activation, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.activation == nil || h.slice != h.seen {
		h.seen, h.since, h.reported = h.slice, now, false
		return nil, false
	}
	if h.reported || now.Sub(h.since) < after {
		return nil, false
	}
	h.reported = true
	return h.activation, true
}

// goroutineHeader returns how the caller's stack begins: "goroutine 7 ".
func goroutineHeader() []byte {
	var buf [64]byte
	line := buf[:goruntime.Stack(buf[:], false)]
	if i := bytes.IndexByte(line, '['); i > 0 {
		line = line[:i]
	}
	return bytes.Clone(line)
}

func allStacks() []byte {
	for size := 64 << 10; ; size *= 4 {
		buf := make([]byte, size)
		if n := goruntime.Stack(buf, true); n < size || size >= maxStackDump {
			return buf[:n]
		}
	}
}

// stackOf finds a goroutine's stack in a dump of all.
func stackOf(dump, header []byte) []byte {
	for stack := range bytes.SplitSeq(dump, []byte("\n\n")) {
		if bytes.HasPrefix(stack, header) {
			return bytes.Clone(stack)
		}
	}
	return nil
}

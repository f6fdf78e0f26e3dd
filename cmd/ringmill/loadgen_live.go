package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	text "github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/loadgen"
)

// A loadLive shows how a measurement goes: a block of five lines that is redrawn on a
// terminal, or a line a second elsewhere.
type loadLive struct {
	out   io.Writer
	width func() int // of the terminal; nil is none

	mu    sync.Mutex
	last  loadgen.Snapshot
	some  bool // last is set
	drawn int  // lines on the terminal

	stop, stopped chan struct{}
}

// show starts the display; nil is none.
func (o *loadOutput) show(to *os.File) *loadLive {
	if o.live == "off" {
		return nil
	}
	l := &loadLive{out: to, stop: make(chan struct{}), stopped: make(chan struct{})}
	every := plainTime
	if o.live == "auto" && isTerminal(to) {
		l.width = func() int { return max(columns(to)-1, 20) } // writing the last column would wrap on some terminals
		every = blockTime
	}
	go l.run(every)
	return l
}

// See takes a snapshot; it is the load generator's Live.
func (l *loadLive) See(s loadgen.Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.some = s, true
}

// Stop ends the display and removes the block. A nil display has nothing to do.
func (l *loadLive) Stop() {
	if l == nil {
		return
	}
	close(l.stop)
	<-l.stopped
	l.erase()
}

func (l *loadLive) run(every time.Duration) {
	defer close(l.stopped)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			l.draw()
		}
	}
}

func (l *loadLive) draw() {
	l.mu.Lock()
	s, some := l.last, l.some
	l.mu.Unlock()
	if !some {
		return
	}
	if l.width == nil {
		fmt.Fprintln(l.out, plainLine(s))
		return
	}
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.drawn)
	}
	lines := blockLines(s, l.width())
	for _, line := range lines {
		b.WriteString("\r" + text.Head(line, l.width()) + "\x1b[K\n")
	}
	l.drawn = len(lines)
	_, _ = io.WriteString(l.out, b.String()) // a terminal that is gone shows nothing
}

// erase removes the block.
func (l *loadLive) erase() {
	if l.drawn > 0 {
		fmt.Fprintf(l.out, "\x1b[%dA\r\x1b[J", l.drawn)
	}
}

func secondsText(s float64) string { return report.Duration(time.Duration(s * 1e9)) }

func rateText(r float64) string { return report.Number(int64(r)) + "/s" }

// phase says where in the plan a run is.
func phase(s loadgen.Snapshot) string {
	at := fmt.Sprintf("%.1fs", s.Elapsed.Seconds())
	if s.Duration < loadgen.MaxDuration {
		at += fmt.Sprintf(" of %v", s.Duration)
	}
	switch {
	case s.Aborted != "":
		return at + " aborted"
	case s.Warmup:
		return at + " warm-up"
	case s.Elapsed > s.Duration:
		return at + " draining"
	}
	return at
}

func plainLine(s loadgen.Snapshot) string {
	return fmt.Sprintf("%s  %s  p50 %s  p99 %s  in flight %s  fullest mailbox %.0f %%  failed %s  shed %s",
		phase(s), rateText(s.Rate), secondsText(s.Last.P50), secondsText(s.Last.P99), report.Number(s.Last.InFlight),
		100*s.Last.Fullest, report.Number(s.Failed), report.Number(s.Shed))
}

// blockLines are the five lines of a terminal.
func blockLines(s loadgen.Snapshot, width int) []string {
	done := 0.0
	if s.Duration > 0 {
		done = min(1, s.Elapsed.Seconds()/s.Duration.Seconds())
	}
	room := min(40, max(10, width-30))
	full := int(done * float64(room))
	return []string{
		strings.Repeat("━", full) + strings.Repeat("─", room-full) + "  " + phase(s),
		fmt.Sprintf("rate      %-12s sent %s  done %s  failed %s  shed %s", rateText(s.Rate), report.Number(s.Sent), report.Number(s.Done), report.Number(s.Failed), report.Number(s.Shed)),
		fmt.Sprintf("now       p50 %-8s p99 %-8s max %s", secondsText(s.Last.P50), secondsText(s.Last.P99), secondsText(s.Last.Max)),
		fmt.Sprintf("so far    p50 %-8s p99 %-8s p99.9 %-8s max %s", secondsText(s.Latency.P50), secondsText(s.Latency.P99), secondsText(s.Latency.P999), secondsText(s.Latency.Max)),
		fmt.Sprintf("pressure  mailboxes %s (fullest %.0f %%)  in flight %s  ready %s  idle %d of %d", report.Number(s.Last.Mailboxes), 100*s.Last.Fullest,
			report.Number(s.Last.InFlight), report.Number(s.Last.Ready), s.IdleTaskActors, s.TaskActors),
	}
}

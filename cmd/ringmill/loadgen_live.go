package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	text "github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/loadgen"
)

// A loadLive shows how a measurement goes: a block of five lines that is redrawn on a
// terminal, or a line a second elsewhere, and between them lines that stay. All methods
// may be called on a nil one, which shows nothing, and by several goroutines.
type loadLive struct {
	out  io.Writer
	size func() (width, height int) // of the terminal; nil is none

	mu    sync.Mutex // owns everything below, and out
	last  loadgen.Snapshot
	some  bool // last is set
	drawn int  // lines on the terminal

	stop, stopped chan struct{}
}

// show starts the display of one measurement; nil is none.
func (o *loadOutput) show(to *os.File) *loadLive { return o.display(to, true) }

// showSeries starts the display of a series of measurements: lines that stay, and on a
// terminal the block of the one under way.
func (o *loadOutput) showSeries(to *os.File) *loadLive { return o.display(to, false) }

func (o *loadOutput) display(to *os.File, plain bool) *loadLive {
	if o.live == "off" {
		return nil
	}
	l := &loadLive{out: to}
	every := plainTime
	if o.live == "auto" && isTerminal(to) {
		l.size = func() (int, int) { return size(to) }
		every = blockTime
	}
	if plain || l.size != nil {
		l.stop, l.stopped = make(chan struct{}), make(chan struct{})
		go l.run(every)
	}
	return l
}

// See takes a snapshot; it is the load generator's Live.
func (l *loadLive) See(s loadgen.Snapshot) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.some = s, true
}

// Printf writes a line that stays.
func (l *loadLive) Printf(format string, args ...any) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.erase()
	fmt.Fprintf(l.out, format+"\n", args...)
}

// Stop ends the display and removes the block.
func (l *loadLive) Stop() {
	if l == nil || l.stop == nil {
		return
	}
	close(l.stop)
	<-l.stopped
	l.mu.Lock()
	defer l.mu.Unlock()
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
	defer l.mu.Unlock()
	if !l.some {
		return
	}
	if l.size == nil {
		fmt.Fprintln(l.out, plainLine(l.last))
		return
	}
	width, height := l.size()
	width = max(width-1, 1) // writing the last column would wrap on some terminals
	lines := blockLines(l.last, width)
	lines = lines[:min(len(lines), max(height-1, 1))] // the cursor cannot go up beyond the first row
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.drawn)
	}
	for _, line := range lines {
		b.WriteString("\r" + text.Head(line, width) + "\x1b[K\n")
	}
	b.WriteString("\x1b[J") // what a higher block has left
	l.drawn = len(lines)
	_, _ = io.WriteString(l.out, b.String()) // a terminal that is gone shows nothing
}

// erase removes the block.
func (l *loadLive) erase() {
	if l.drawn > 0 {
		fmt.Fprintf(l.out, "\x1b[%dA\r\x1b[J", l.drawn)
		l.drawn = 0
	}
}

func secondsText(s float64) string { return report.Duration(time.Duration(s * 1e9)) }

func rateText(r float64) string {
	if r < 100 {
		return strconv.FormatFloat(r, 'g', 3, 64) + "/s"
	}
	return report.Number(int64(math.Round(r))) + "/s"
}

// phase says where in the plan a run is.
func phase(s loadgen.Snapshot) string {
	at := elapsed(s.Elapsed)
	if s.Duration < loadgen.MaxDuration {
		at += " of " + report.Duration(s.Duration)
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

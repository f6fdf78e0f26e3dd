package screen

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// frameTime is how often a live line is redrawn: often enough to look alive.
const frameTime = 100 * time.Millisecond

// Control sequences that every terminal since the VT100 knows.
const (
	toLineStart = "\r"
	eraseLine   = "\x1b[K"
)

// A Live is one line at the bottom of a terminal that is redrawn ten times a
// second. Each frame is a single write that overwrites the line before, so it
// does not flicker. What is written through Write appears above it. Its methods
// are safe for concurrent use.
type Live struct {
	draw func() string // must fit into one row of the terminal

	mu      sync.Mutex
	out     io.Writer
	shown   bool // the line is on the terminal, the cursor at its end
	partial bool // the last Write ended within a line
	frame   bytes.Buffer

	stop    chan struct{}
	stopped chan struct{}
}

// NewLive starts a live line on out, a terminal. draw returns the line; it is
// called on a goroutine of the Live, never twice at the same time.
func NewLive(out io.Writer, draw func() string) *Live {
	l := &Live{draw: draw, out: out, stop: make(chan struct{}), stopped: make(chan struct{})}
	go l.run()
	return l
}

// Stop removes the line. Writes go straight through from then on. It must be
// called once.
func (l *Live) Stop() {
	close(l.stop)
	<-l.stopped
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hide()
	l.flush()
}

// Write prints p above the live line.
func (l *Live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hide()
	l.frame.Write(p)
	if len(p) > 0 {
		l.partial = p[len(p)-1] != '\n'
	}
	return len(p), l.flush()
}

func (l *Live) run() {
	defer close(l.stopped)
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			l.redraw(l.draw())
		}
	}
}

// redraw writes over the old line and then erases what is left of it.
func (l *Live) redraw(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.partial { // the cursor is where the text goes on
		return
	}
	l.frame.WriteString(toLineStart + line + eraseLine)
	l.shown = true
	_ = l.flush() // a terminal that is gone shows nothing
}

// hide erases the line, if it is shown, with the next flush.
func (l *Live) hide() {
	if l.shown {
		l.frame.WriteString(toLineStart + eraseLine)
		l.shown = false
	}
}

func (l *Live) flush() error {
	_, err := l.out.Write(l.frame.Bytes())
	l.frame.Reset()
	return err
}

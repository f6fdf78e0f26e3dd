package command

import (
	"bytes"
	"errors"
	"strings"
)

var errFull = errors.New("output is full")

// A capture keeps up to limit bytes and closes full at the first one beyond.
// One goroutine writes; the rest is read after it ended.
type capture struct {
	buf   bytes.Buffer
	limit int
	full  chan struct{}
}

func (c *capture) Write(p []byte) (int, error) {
	if c.buf.Len()+len(p) <= c.limit {
		return c.buf.Write(p)
	}
	if !c.overflowed() {
		close(c.full)
	}
	return 0, errFull
}

func (c *capture) overflowed() bool {
	select {
	case <-c.full:
		return true
	default:
		return false
	}
}

// tailSize and tailLines are how much of standard error is worth repeating in an
// error: the last words, not the log.
const (
	tailSize  = 2 << 10
	tailLines = 10
)

// A tail keeps the last tailSize bytes written to it.
type tail struct {
	buf []byte
	cut bool // there was more
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > tailSize {
		p, t.cut = p[len(p)-tailSize:], true
	}
	if over := len(t.buf) + len(p) - tailSize; over > 0 {
		t.buf, t.cut = append(t.buf[:0], t.buf[over:]...), true
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

// String returns the last lines of the kept text, marked if something is missing
// before them.
func (t *tail) String() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.buf), "\uFFFD"))
	lines := strings.Split(text, "\n")
	more := len(lines) > tailLines
	if more {
		text = strings.Join(lines[len(lines)-tailLines:], "\n")
	}
	if t.cut || more {
		return "... " + text
	}
	return text
}

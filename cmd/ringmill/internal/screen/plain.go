package screen

import (
	"fmt"
	"io"
	"time"
)

// A Plain prints a line now and then: after a second, then less and less often
// as it goes on, each time when a tenth more has passed.
type Plain struct {
	out  io.Writer
	draw func() string

	stop    chan struct{}
	stopped chan struct{}
}

// NewPlain starts to print what draw returns to out, which only the Plain may
// write to until Stop has returned.
func NewPlain(out io.Writer, draw func() string) *Plain {
	p := &Plain{out: out, draw: draw, stop: make(chan struct{}), stopped: make(chan struct{})}
	go p.run()
	return p
}

// Stop ends the printing. It must be called once.
func (p *Plain) Stop() {
	close(p.stop)
	<-p.stopped
}

func (p *Plain) run() {
	defer close(p.stopped)
	begin := time.Now()
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-timer.C:
			fmt.Fprintln(p.out, p.draw())
			timer.Reset(max(time.Second, time.Since(begin)/10))
		}
	}
}

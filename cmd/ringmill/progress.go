package main

import (
	"fmt"
	"time"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/cmd/ringmill/internal/screen"
)

// A progress shows how far the runs are until it is stopped.
type progress interface{ Stop() }

// none is the progress of a program's output.
type none struct{}

func (none) Stop() {}

// show starts the progress that fits where the output goes: a live line on a
// terminal, plain lines on a pipe, nothing where JSON is wanted. draw returns
// the line for a width in columns, which is 0 for a pipe.
func (r *runner) show(draw func(width int) string) progress {
	switch {
	case r.live:
		live := screen.NewLive(r.err, func() string { return draw(columns(r.err)) })
		r.logs.Set(live)
		return live
	case r.json:
		return none{}
	}
	return screen.NewPlain(r.out, func() string { return draw(0) })
}

func (r *runner) showProgress(started *run) progress {
	begin := time.Now()
	return r.show(func(width int) string {
		p := started.Progress()
		parts := []string{
			fmt.Sprintf("%s/%s done", report.Number(p.Ended), report.Plural(p.Tasks, "task")),
			report.Number(p.Running) + " running",
			report.Number(p.Failed) + " failed",
			elapsed(time.Since(begin)),
		}
		if p.Compensations > 0 {
			parts = append(parts, fmt.Sprintf("%s/%s compensated", report.Number(p.Compensated), report.Number(p.Compensations)))
		}
		return screen.Line(width, float64(p.Ended)/float64(p.Tasks), r.shortName(width), parts...)
	})
}

// shortName is the workflow's name in a progress line, where the numbers need
// the room.
func (r *runner) shortName(width int) string {
	if width == 0 {
		return r.def.Name()
	}
	return report.Fit(r.def.Name(), max(width/4, 8))
}

// elapsed prints a time that goes on, steady in width while it is redrawn.
func elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return report.Duration(d)
}

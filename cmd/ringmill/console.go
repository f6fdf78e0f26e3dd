package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime/js"
)

// What is kept of console output until its run is printed: of a task with all its
// attempts and items, and in all.
const (
	maxTaskConsole  = 64 << 10
	maxTotalConsole = 64 << 20
)

// A console is where scripts write. It is safe for concurrent use.
type console struct {
	to    io.Writer // shows lines as they come; nil keeps them for take
	runID string    // of --run-id

	mu    sync.Mutex
	total int
	runs  map[string]map[string]*report.Console // by run and task
}

// write takes what a call wrote.
func (c *console) write(o js.ConsoleOutput) {
	if c.to != nil {
		c.show(o)
		return
	}
	run, task := c.place(o)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil {
		c.runs = make(map[string]map[string]*report.Console)
	}
	tasks := c.runs[run]
	if tasks == nil {
		tasks = make(map[string]*report.Console)
		c.runs[run] = tasks
	}
	kept := tasks[task]
	if kept == nil {
		kept = new(report.Console)
		tasks[task] = kept
	}
	room := min(maxTaskConsole-len(kept.Text), maxTotalConsole-c.total)
	text := o.Text
	if len(text) > room {
		text, kept.Truncated = strings.ToValidUTF8(text[:room], ""), true
	}
	kept.Text += text
	kept.Truncated = kept.Truncated || o.Truncated
	c.total += len(text)
}

// place returns the run and the task of the file that a call belongs to. The run that
// a task of the file is has an id that begins with the file's run and that task, whose
// name is escaped as in a URL.
func (c *console) place(o js.ConsoleOutput) (run, task string) {
	run = c.runID // may have slashes, which ids that are made have not
	if run == "" {
		run, _, _ = strings.Cut(o.RunID, "/")
	}
	below, ok := strings.CutPrefix(o.RunID, run+"/")
	if !ok {
		return run, o.Task
	}
	task, _, _ = strings.Cut(below, "/")
	if name, err := url.PathUnescape(task); err == nil {
		task = name
	}
	return run, task
}

// show writes the lines, each behind the task's name.
func (c *console) show(o js.ConsoleOutput) {
	var b strings.Builder
	name := report.Clean(o.Task)
	for line := range strings.Lines(o.Text) {
		fmt.Fprintf(&b, "%s: %s\n", name, report.Clean(strings.TrimSuffix(line, "\n")))
	}
	if o.Truncated {
		fmt.Fprintf(&b, "%s: ... and more\n", name)
	}
	_, _ = io.WriteString(c.to, b.String()) // a console that is gone is no reason to fail the task
}

// take returns what the tasks of a run wrote, and forgets it.
func (c *console) take(run string) map[string]*report.Console {
	c.mu.Lock()
	defer c.mu.Unlock()
	tasks := c.runs[run]
	delete(c.runs, run)
	for _, kept := range tasks {
		c.total -= len(kept.Text)
	}
	return tasks
}

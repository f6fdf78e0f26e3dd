package command

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"
)

// DefaultMaxOutput is the bound on standard output where a [Command] sets none.
const DefaultMaxOutput = 16 << 20

// pipeDelay bounds the wait for the end of the output once the command itself
// has ended: longer than a pipeline's last process needs, short enough not to
// look like a hang.
const pipeDelay = time.Second

// A Command is a program with its arguments and surroundings.
type Command struct {
	// Argv is the program, looked up in PATH unless it holds a slash, and its
	// arguments. Nothing is expanded.
	Argv []string
	// Stdin is what the program reads. Defaults to an empty standard input.
	Stdin []byte
	// Dir is the working directory. Defaults to the calling process's.
	Dir string
	// Env is the whole environment, as KEY=value. Defaults, when nil, to the
	// calling process's.
	Env []string
	// MaxOutput bounds standard output, in bytes: a command that writes more is
	// killed and fails. Defaults to DefaultMaxOutput.
	MaxOutput int
	// Grace is the time between the polite signal (SIGTERM) and SIGKILL when
	// the context ends. Defaults to 0: killed at once.
	Grace time.Duration
}

// Run executes c and returns what it wrote to standard output. It blocks until
// the command ended, at most until a little over c.Grace after ctx did. A
// failure is an [*Error]; one caused by ctx satisfies errors.Is with ctx.Err()
// and its cause. Run is safe for concurrent use.
//
// On Unix everything in the command's process group is gone when Run returns,
// background processes included. A process that moved itself into another group
// or session escapes; it cannot hold up Run for more than a second.
func Run(ctx context.Context, c Command) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // not started: nothing to clean up
		return nil, c.fail(&Error{Err: ended(ctx)})
	}
	if c.MaxOutput == 0 {
		c.MaxOutput = DefaultMaxOutput
	}
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = c.Dir, c.Env, pipeDelay
	if len(c.Stdin) > 0 {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	var complaints tail
	output := capture{limit: c.MaxOutput, full: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &output, &complaints

	release := bindToParent(cmd)
	defer release()
	g, err := startGroup(cmd)
	if err != nil {
		return nil, c.fail(startError(err))
	}
	watch := watch(ctx, g, c.Grace, output.full)
	err = cmd.Wait()
	g.close()
	interrupted := watch.stop()

	switch {
	case interrupted:
		err = &Error{Problem: "was killed", Err: ended(ctx)}
	case output.overflowed():
		err = overflowError(c.MaxOutput)
	case err != nil:
		err = exitError(err)
	default:
		return output.buf.Bytes(), nil
	}
	failure := err.(*Error)
	failure.Stderr = complaints.String()
	return nil, c.fail(failure)
}

// check refuses what no program can be started with.
func (c *Command) check() error {
	switch {
	case len(c.Argv) == 0 || c.Argv[0] == "":
		return &Error{Permanent: true, Problem: "has no program", Cure: "name it as the first element of the argument list"}
	case c.MaxOutput < 0 || c.Grace < 0:
		return c.fail(&Error{Permanent: true, Problem: "has a negative bound", Cure: "set MaxOutput and Grace to 0 or more"})
	}
	for _, arg := range c.Argv {
		if strings.IndexByte(arg, 0) >= 0 {
			return c.fail(&Error{Permanent: true, Problem: "has an argument with a zero byte", Cure: "pass such data on standard input"})
		}
	}
	return nil
}

func (c *Command) fail(e *Error) error {
	e.Name = c.Argv[0]
	return e
}

// ended is why ctx ended: its error, and its cause where that says more.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return errors.Join(err, cause)
}

// A watcher ends a running command when its context ends or its output is full.
type watcher struct {
	done, gone  chan struct{}
	interrupted bool // the context ended first; read after gone is closed
}

func watch(ctx context.Context, g *group, grace time.Duration, full <-chan struct{}) *watcher {
	w := &watcher{done: make(chan struct{}), gone: make(chan struct{})}
	go func() {
		defer close(w.gone)
		select {
		case <-w.done:
		case <-full:
			g.kill()
		case <-ctx.Done():
			w.interrupted = true
			w.end(g, grace)
		}
	}()
	return w
}

// end asks the group to end and kills it if it has not within grace.
func (w *watcher) end(g *group, grace time.Duration) {
	if grace > 0 {
		g.terminate()
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-w.done:
			return
		case <-timer.C:
		}
	}
	g.kill()
}

// stop ends the watching of a command that ended, and reports whether its
// context ended first.
func (w *watcher) stop() bool {
	close(w.done)
	<-w.gone
	return w.interrupted
}

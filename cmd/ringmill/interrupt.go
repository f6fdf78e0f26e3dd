package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// killTime is how long after the first interrupt every program that a task
// started is dead, also one that ignores SIGTERM. The second interrupt waits
// for that, so that none survives.
const killTime = 300 * time.Millisecond

// patience is how long after an interrupt the program says that it waits.
const patience = 500 * time.Millisecond

// withInterrupts returns a context that ends with the first SIGINT, SIGTERM or
// SIGHUP; the second one ends the program, or if something is at stake that says so and
// the third one does. A SIGHUP that the caller ignores stays
// ignored; a shell also ignores SIGINT for what it starts in the background, where
// it is wanted none the less: from a supervisor. stop must be called. atStake says what
// an end of the program would break off, or nothing; it may be nil.
func withInterrupts(parent context.Context, atStake func() string) (ctx context.Context, cancel context.CancelCauseFunc, stop func()) {
	ctx, cancel = context.WithCancelCause(parent)
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it so that the program outlives its terminal
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		if !receive(signals, done) {
			return
		}
		cancel(errInterrupted)
		killed := time.Now().Add(killTime)
		again := false
		select {
		case <-signals:
			again = true
		case <-done:
			return
		case <-time.After(patience):
			fmt.Fprintln(os.Stderr, "\nringmill: interrupted: what is under way is given time to end; another interrupt shortens that")
			again = receive(signals, done)
		}
		if again && atStake != nil {
			if what := atStake(); what != "" {
				fmt.Fprintf(os.Stderr, "\nringmill: interrupted again: %s; a third interrupt quits at once and leaves the rest undone\n", what)
				again = receive(signals, done)
			}
		}
		if again {
			fmt.Fprintln(os.Stderr, "\nringmill: interrupted again: quitting")
			time.Sleep(time.Until(killed))
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, cancel, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// receive waits for a signal; false means that none is wanted any more.
func receive(signals <-chan os.Signal, done <-chan struct{}) bool {
	select {
	case <-signals:
		return true
	case <-done:
		return false
	}
}

// surviveBrokenPipe makes a write to a closed pipe an error instead of the death
// of the program, which would leave running tasks behind.
func surviveBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

package main

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// An output is standard output while runs are under way: a write that fails
// cancels them, for nobody is listening any more. It is safe for concurrent
// use; each Write stays in one piece.
type output struct {
	mu     sync.Mutex
	to     io.Writer
	cancel context.CancelCauseFunc
	err    error
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(p)
	if err != nil {
		o.err = fmt.Errorf("ringmill: standard output: %w", err)
		o.cancel(o.err)
	}
	return n, err
}

// Err returns the first failure.
func (o *output) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// A redirect is a writer whose target changes: log lines go to standard error,
// and above the progress line while there is one. It is safe for concurrent use.
type redirect struct {
	mu sync.Mutex
	to io.Writer
}

func (r *redirect) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to.Write(p)
}

// Set changes the target.
func (r *redirect) Set(to io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

package js

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	goruntime "runtime"
	"sync"
	"sync/atomic"
)

// An Engine runs scripts. It is safe for concurrent use. It must be closed: it
// holds memory that the garbage collector does not know.
type Engine struct {
	config   Config
	pool     *pool
	cache    scriptCache
	breakers breakers
	counters counters
	fetcher  *fetcher

	started  chan struct{} // closed once machine or startErr is set
	machine  *machine
	startErr error

	closing    atomic.Bool   // running scripts are to be stopped
	killed     chan struct{} // closed with closing
	killOnce   sync.Once
	background sync.WaitGroup
	closeOnce  sync.Once
	closed     chan struct{}
	closeErr   error
}

// New returns an engine that starts in the background: compiling it takes about
// half a second of processor time, which the first call waits for. The error is
// about config, or satisfies errors.Is with [ErrNoEngine] and says what to do.
func New(config Config) (*Engine, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := supported(goruntime.GOOS, goruntime.GOARCH, config.Interpreter); err != nil {
		return nil, err
	}
	module, err := engineModule(config.Module)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		config: config,
		pool:   newPool(config.Instances, config.Parallel, config.Queue),
		cache:  scriptCache{limit: config.CacheBytes, byHash: map[[sha256.Size]byte]*list.Element{}},
		breakers: breakers{
			failures: config.BreakerFailures, window: config.BreakerWindow,
			byHash: map[[sha256.Size]byte]*list.Element{},
		},
		started: make(chan struct{}),
		killed:  make(chan struct{}),
		closed:  make(chan struct{}),
	}
	if config.Fetch.enabled() {
		e.fetcher = newFetcher(config.Fetch)
	}
	e.background.Go(func() {
		defer close(e.started)
		e.machine, e.startErr = newMachine(context.Background(), module, &e.config)
	})
	return e, nil
}

// supported says on which platforms wazero makes machine code.
func supported(goos, goarch string, interpreter bool) error {
	compiler := goarch == "amd64" || goarch == "arm64"
	switch goos {
	case "linux", "darwin", "freebsd", "netbsd", "windows":
	default:
		compiler = false
	}
	if compiler || interpreter {
		return nil
	}
	return fmt.Errorf("js: the engine has no compiler for %s/%s: set Config.Interpreter to run scripts some 30 times slower", goos, goarch)
}

// ready waits until the engine has started.
func (e *Engine) ready(ctx context.Context) error {
	select {
	case <-e.started:
	default:
		select {
		case <-e.started:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return e.startErr
}

// Close refuses new calls, waits for those that run or wait, and frees the engine's
// memory. When ctx ends first, running scripts are stopped, which takes a few
// milliseconds; their calls fail. Close may be called more than once: each call
// waits for the end.
func (e *Engine) Close(ctx context.Context) error {
	e.closeOnce.Do(func() {
		go func() {
			defer close(e.closed)
			<-e.pool.close()
			e.background.Wait()
			e.closeErr = e.free()
		}()
	})
	select {
	case <-e.closed:
	case <-ctx.Done():
		e.killOnce.Do(func() {
			e.closing.Store(true)
			close(e.killed)
		})
		<-e.closed
	}
	return e.closeErr
}

func (e *Engine) free() error {
	var err error
	for _, s := range e.pool.idle {
		if s.guest != nil {
			err = errors.Join(err, s.guest.close(context.Background()))
		}
	}
	if e.machine != nil {
		err = errors.Join(err, e.machine.close(context.Background()))
	}
	if e.fetcher != nil {
		e.fetcher.close()
	}
	return err
}

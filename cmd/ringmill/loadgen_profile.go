package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// profileFlags say which profiles of a measurement to take.
type profileFlags struct {
	kinds []string
	trace time.Duration
}

var profileKinds = []string{"cpu", "heap", "mutex", "block"}

func (f *profileFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.Var(choice(&f.kinds, "KINDS", "", parseProfiles), "pprof", "profiles to put into the folder of -o: cpu,heap,mutex,block")
	complete(c, "pprof", profileKinds...)
	flags.Var(choice(&f.trace, "TIME", "", positive), "trace", "execution trace of this time after the warm-up, into the folder of -o")
}

func parseProfiles(s string) ([]string, error) {
	kinds := strings.Split(s, ",")
	for _, k := range kinds {
		if !slices.Contains(profileKinds, k) {
			return nil, fmt.Errorf("%q is unknown; want some of %s", k, strings.Join(profileKinds, ","))
		}
	}
	return kinds, nil
}

func (f *profileFlags) check(dir string) error {
	if dir == "" && (len(f.kinds) > 0 || f.trace > 0) {
		return usagef("--pprof and --trace need a folder: add -o DIR")
	}
	return nil
}

// profiles are under way until they are stopped.
type profiles struct {
	dir   string
	kinds []string
	cpu   *os.File

	mu      sync.Mutex // the timers of a trace run on their own
	timer   *time.Timer
	tracing *os.File
	failed  error
}

// start begins what was asked for; the trace begins after the warm-up.
func (f *profileFlags) start(dir string, warmup time.Duration) (*profiles, error) {
	p := &profiles{dir: dir, kinds: f.kinds}
	for _, k := range f.kinds {
		switch k {
		case "cpu":
			file, err := os.Create(filepath.Join(dir, "cpu.pprof"))
			if err != nil {
				return p, err
			}
			p.cpu = file
			if err := pprof.StartCPUProfile(file); err != nil {
				return p, errors.Join(err, file.Close())
			}
		case "mutex":
			goruntime.SetMutexProfileFraction(10)
		case "block":
			goruntime.SetBlockProfileRate(10_000) // one sample a 10 us blocked
		}
	}
	if f.trace > 0 {
		file, err := os.Create(filepath.Join(dir, "trace.out"))
		if err != nil {
			return p, err
		}
		p.tracing = file
		p.timer = time.AfterFunc(warmup, func() { p.beginTrace(f.trace) })
	}
	return p, nil
}

func (p *profiles) beginTrace(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tracing == nil {
		return
	}
	if p.failed = trace.Start(p.tracing); p.failed == nil {
		p.timer = time.AfterFunc(d, func() { p.endTrace() })
	}
}

func (p *profiles) endTrace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tracing == nil {
		return
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	trace.Stop()
	p.failed = errors.Join(p.failed, p.tracing.Close())
	p.tracing = nil
}

// stop ends and writes all profiles.
func (p *profiles) stop() error {
	p.endTrace()
	var problems []error
	for _, k := range p.kinds {
		if k == "cpu" {
			pprof.StopCPUProfile()
			problems = append(problems, p.cpu.Close())
			continue
		}
		file, err := os.Create(filepath.Join(p.dir, k+".pprof"))
		if err == nil {
			err = errors.Join(pprof.Lookup(k).WriteTo(file, 0), file.Close())
		}
		problems = append(problems, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(append(problems, p.failed)...)
}

package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// The places a thread of the executor model can be at.
const (
	off      = iota // pusher: has ended; worker: does not exist
	claim           // pusher: about to claim a ring position
	publish         // pusher: about to publish it
	load            // wake: about to load counts
	cas             // wake: about to compare and swap what it loaded
	look            // worker: about to pop
	found           // worker: has its first item, about to lower searching
	more            // worker: about to see whether to wake another
	run             // worker: about to run its item
	leaving         // worker: about to count itself out
	recheck         // worker: counted out, about to look again
	comeBack        // worker: about to load counts for coming back
	comeCAS         // worker: about to swap them
)

const (
	modelItems   = 3
	modelWorkers = 7 // more than max: those that have counted themselves out are still there
)

type modelThread struct {
	at                int8
	searching         bool // worker: counted as searching
	slot              int8 // pusher: its position
	sawActive, sawSrc int8 // wake: what it loaded
}

func (a modelThread) compare(b modelThread) int {
	srch := func(t modelThread) int {
		if t.searching {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(srch(a), srch(b)),
		cmp.Compare(a.sawActive, b.sawActive), cmp.Compare(a.sawSrc, b.sawSrc))
}

// executorModel is the state of the executor's protocol: the ring's claimed and
// published positions, the counts and every thread's place.
type executorModel struct {
	max, active, searching int8
	tail, head             int8
	published              [modelItems]bool
	ran                    int8
	pushers                [modelItems]modelThread
	workers                [modelWorkers]modelThread
	raise                  modelThread // raises max by one: AddWorkers
}

// faults are built into a model to see that it notices them.
type executorFaults struct {
	noRecheck bool // leave without looking again
	noMore    bool // find work without waking another
	noRaise   bool // AddWorkers without a wake
}

func (s executorModel) empty() bool {
	return s.head >= modelItems || !s.published[s.head]
}

// wakeStep is one step of wake at th, a thread of s; then is where it goes on. It
// reports whether a worker was counted in.
func (s *executorModel) wakeStep(th *modelThread, loadAt, casAt, otherwise int8) (entered bool) {
	switch th.at {
	case loadAt:
		th.sawActive, th.sawSrc = s.active, s.searching
		th.at = casAt
		if s.searching > 0 || s.active >= s.max {
			th.at, th.sawActive, th.sawSrc = otherwise, 0, 0
		}
	case casAt:
		seen := s.active == th.sawActive && s.searching == th.sawSrc
		th.at, th.sawActive, th.sawSrc = loadAt, 0, 0
		if !seen {
			return false
		}
		s.active++
		s.searching++
		th.at = otherwise
		return true
	}
	return false
}

func (s *executorModel) startWorker() {
	for i := range s.workers {
		if s.workers[i].at == off {
			s.workers[i] = modelThread{at: look, searching: true}
			return
		}
	}
	panic("the model needs more places for workers")
}

// next takes one step of each thread. Threads of a kind are alike, so their order
// does not matter: sorting them spares the exploration most of its states.
func (s executorModel) next(f executorFaults) []executorModel {
	var after []executorModel
	add := func(n executorModel) {
		slices.SortFunc(n.workers[:], modelThread.compare)
		after = append(after, n)
	}
	for i := range s.pushers {
		if s.pushers[i].at != off {
			n := s
			n.stepPusher(&n.pushers[i])
			add(n)
		}
	}
	for i := range s.workers {
		if s.workers[i].at != off {
			n := s
			n.stepWorker(&n.workers[i], f)
			add(n)
		}
	}
	if s.raise.at != off {
		n := s
		n.stepRaise(&n.raise, f)
		add(n)
	}
	return after
}

func (s *executorModel) stepPusher(p *modelThread) {
	switch p.at {
	case claim:
		p.slot = s.tail
		s.tail++
		p.at = publish
	case publish:
		s.published[p.slot] = true
		p.at = load
	default:
		if s.wakeStep(p, load, cas, off) {
			s.startWorker()
		}
	}
}

func (s *executorModel) stepRaise(r *modelThread, f executorFaults) {
	switch r.at {
	case claim:
		s.max++
		r.at = more
		if f.noRaise {
			r.at = off
		}
	case more:
		r.at = load
		if s.empty() {
			r.at = off
		}
	default:
		if s.wakeStep(r, load, cas, off) {
			s.startWorker()
		}
	}
}

func (s *executorModel) stepWorker(w *modelThread, f executorFaults) {
	switch w.at {
	case look:
		switch {
		case s.empty():
			w.at = leaving
		case w.searching:
			s.head++
			w.at = found
		default:
			s.head++
			w.at = run
		}
	case found:
		s.searching--
		w.searching = false
		w.at = more
		if f.noMore {
			w.at = run
		}
	case more:
		w.at = load
		if s.empty() {
			w.at = run
		}
	case load, cas:
		if s.wakeStep(w, load, cas, run) {
			s.startWorker()
		}
	case run:
		s.ran++
		w.at = look
	case leaving:
		s.active--
		if w.searching {
			s.searching--
		}
		*w = modelThread{at: recheck}
		if f.noRecheck {
			w.at = off
		}
	case recheck:
		w.at = comeBack
		if s.empty() {
			w.at = off
		}
	case comeBack, comeCAS:
		if s.wakeStep(w, comeBack, comeCAS, off) {
			*w = modelThread{at: look, searching: true}
		}
	}
}

func (s executorModel) invariant() string {
	if s.searching < 0 || s.searching > 1 || s.searching > s.active {
		return fmt.Sprintf("I1: searching %d, active %d", s.searching, s.active)
	}
	if s.active < 0 || s.active > s.max {
		return fmt.Sprintf("I2: active %d, max %d", s.active, s.max)
	}
	return ""
}

func (s executorModel) final() string {
	if s.ran != modelItems || s.active != 0 {
		return fmt.Sprintf("at rest with %d of %d items run and %d workers active", s.ran, modelItems, s.active)
	}
	return ""
}

// TestExecutorModel explores every interleaving of three pushers, whose items all
// have to run, with up to two workers and an AddWorkers in between: no state at
// rest has work left. It also shows that the model notices the steps it is about:
// without the second look of a leaving worker work is stranded.
func TestExecutorModel(t *testing.T) {
	start := func(max int8, raise bool) executorModel {
		s := executorModel{max: max}
		for i := range s.pushers {
			s.pushers[i].at = claim
		}
		if raise {
			s.raise.at = claim
		}
		return s
	}
	check := func(s executorModel, f executorFaults) (int, string) {
		return explore(s, func(s executorModel) []executorModel { return s.next(f) },
			executorModel.invariant, executorModel.final)
	}
	for _, max := range []int8{1, 2} {
		states, problem := check(start(max, false), executorFaults{})
		mustHold(t, fmt.Sprintf("max=%d", max), states, problem)
	}
	if !testing.Short() {
		states, problem := check(start(1, true), executorFaults{})
		mustHold(t, "max=1, raised to 2", states, problem)
	}
	states, problem := check(start(1, false), executorFaults{noRecheck: true})
	mustBreak(t, "no second look", states, problem)
}

// TestExecutorModelSpreads explores the other duty of waking, that work does not wait
// while a worker may be had for it: here a worker that runs an item never gets done,
// so each item needs a worker of its own.
func TestExecutorModelSpreads(t *testing.T) {
	next := func(f executorFaults) func(executorModel) []executorModel {
		return func(s executorModel) []executorModel {
			return slices.DeleteFunc(s.next(f), func(n executorModel) bool { return n.ran > 0 })
		}
	}
	final := func(s executorModel) string {
		busy := int8(0)
		for _, w := range s.workers {
			if w.at == run {
				busy++
			}
		}
		if want := min(s.max, modelItems); busy < want {
			return fmt.Sprintf("at rest with %d workers busy, %d allowed, %d items", busy, s.max, modelItems)
		}
		return ""
	}
	check := func(s executorModel, f executorFaults) (int, string) {
		return explore(s, next(f), executorModel.invariant, final)
	}
	s := executorModel{max: 2}
	for i := range s.pushers {
		s.pushers[i].at = claim
	}
	states, problem := check(s, executorFaults{})
	mustHold(t, "stuck workers", states, problem)
	states, problem = check(s, executorFaults{noMore: true})
	mustBreak(t, "no waking of another", states, problem)

	s.max, s.raise.at = 1, claim
	states, problem = check(s, executorFaults{})
	mustHold(t, "stuck worker, then AddWorkers", states, problem)
	states, problem = check(s, executorFaults{noRaise: true})
	mustBreak(t, "AddWorkers without a wake", states, problem)
}

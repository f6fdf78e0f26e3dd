package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// The places a thread of the executor model can be at.
const (
	off          = iota // pusher: has ended; worker: does not exist
	claim               // pusher: about to claim a ring position
	publish             // pusher: about to publish it
	load                // wake: about to load counts
	cas                 // wake: about to compare and swap what it loaded
	look                // worker: about to look into the lane that it prefers
	lookOther           // worker: that was empty, about to look into the other one
	found               // worker: has its first item, about to lower searching
	more                // worker: about to see whether to wake another
	moreOther           // the same for the second lane
	run                 // worker: about to run its item
	leaving             // worker: about to count itself out
	recheck             // worker: counted out, about to look again
	recheckOther        // the same for the second lane
	comeBack            // worker: about to load counts for coming back
	comeCAS             // worker: about to swap them
)

const (
	modelItems   = 3
	modelLanes   = 2
	modelWorkers = 7 // more than max: those that have counted themselves out are still there
)

type modelThread struct {
	at                int8
	searching         bool // worker: counted as searching
	lane              int8 // pusher: where its item goes; worker: where it looks first
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
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(srch(a), srch(b)), cmp.Compare(a.lane, b.lane),
		cmp.Compare(a.sawActive, b.sawActive), cmp.Compare(a.sawSrc, b.sawSrc))
}

// modelLane is a lane of the queue: a ring's claimed and published positions.
type modelLane struct {
	tail, head int8
	published  [modelItems]bool
}

func (l modelLane) empty() bool { return l.head >= modelItems || !l.published[l.head] }

// executorModel is the state of the executor's protocol: the lanes, the counts and every
// thread's place. A worker prefers now the one lane and now the other.
type executorModel struct {
	max, active, searching int8
	lanes                  [modelLanes]modelLane
	ran                    int8
	pushers                [modelItems]modelThread
	workers                [modelWorkers]modelThread
	raise                  modelThread // raises max by one: AddWorkers
}

// faults are built into a model to see that it notices them.
type executorFaults struct {
	noRecheck bool // leave without looking again
	oneLane   bool // look again into the first lane only
	noMore    bool // find work without waking another
	noRaise   bool // AddWorkers without a wake
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
		p.slot = s.lanes[p.lane].tail
		s.lanes[p.lane].tail++
		p.at = publish
	case publish:
		s.lanes[p.lane].published[p.slot] = true
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
	case more, moreOther:
		s.seeWork(r, moreOther, load, off)
	default:
		if s.wakeStep(r, load, cas, off) {
			s.startWorker()
		}
	}
}

func (s *executorModel) stepWorker(w *modelThread, f executorFaults) {
	switch w.at {
	case look, lookOther:
		l := w.lane
		if w.at == lookOther {
			l = 1 - l
		}
		switch {
		case s.lanes[l].empty() && w.at == look:
			w.at = lookOther
		case s.lanes[l].empty():
			w.at = leaving
		default:
			s.lanes[l].head++
			w.at = run
			if w.searching {
				w.at = found
			}
		}
	case found:
		s.searching--
		w.searching = false
		w.at = more
		if f.noMore {
			w.at = run
		}
	case more, moreOther:
		s.seeWork(w, moreOther, load, run)
	case load, cas:
		if s.wakeStep(w, load, cas, run) {
			s.startWorker()
		}
	case run:
		s.ran++
		w.at, w.lane = look, 1-w.lane
	case leaving:
		s.active--
		if w.searching {
			s.searching--
		}
		*w = modelThread{at: recheck}
		if f.noRecheck {
			w.at = off
		}
	case recheck, recheckOther:
		s.seeWork(w, recheckOther, comeBack, off)
		if f.oneLane && w.at == recheckOther {
			w.at = off
		}
	case comeBack, comeCAS:
		if s.wakeStep(w, comeBack, comeCAS, off) {
			*w = modelThread{at: look, searching: true}
		}
	}
}

// seeWork is one step of a look at whether the queue is empty: the first lane, then, at other, the second. The thread goes on
// at work or at none.
func (s *executorModel) seeWork(th *modelThread, other, work, none int8) {
	switch {
	case th.at == other && s.lanes[1].empty():
		th.at = none
	case th.at != other && s.lanes[0].empty():
		th.at = other
	default:
		th.at = work
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

// startPushers has two push into the lane that is looked at last, and one into the other.
func (s *executorModel) startPushers() {
	for i := range s.pushers {
		s.pushers[i] = modelThread{at: claim, lane: min(int8(i), 1)}
	}
}

// TestExecutorModel explores every interleaving of three pushers, whose items all
// have to run, with up to two workers and an AddWorkers in between: no state at
// rest has work left. It also shows that the model notices the steps it is about:
// without the second look of a leaving worker work is stranded.
func TestExecutorModel(t *testing.T) {
	start := func(max int8, raise bool) executorModel {
		s := executorModel{max: max}
		s.startPushers()
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
	states, problem = check(start(1, false), executorFaults{oneLane: true})
	mustBreak(t, "a second look into one lane", states, problem)
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
	s.startPushers()
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

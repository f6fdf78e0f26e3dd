package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// await fails the test if done is not closed in time: somebody sleeps for good.
func await(t testing.TB, done <-chan struct{}, state func() string) {
	t.Helper()
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.Fatalf("stuck: %s", state())
	}
}

// crowd is a set of activations that pass tokens around.
type crowd struct {
	executor *scheduler.Executor
	members  []*member
	hops     atomic.Int64 // still to be made
	left     atomic.Int64 // tokens still to be handled
	done     chan struct{}
}

// member is an activation with a count of tokens in place of a mailbox.
type member struct {
	crowd   *crowd
	status  atomic.Int32 // 0 idle, 1 scheduled
	pending atomic.Int64
	running atomic.Int32
	rng     *rand.Rand // used inside Run only
}

func newCrowd(e *scheduler.Executor, members int, tokens, hops int64, seed uint64) *crowd {
	c := &crowd{executor: e, done: make(chan struct{})}
	c.hops.Store(hops)
	c.left.Store(tokens + hops)
	for i := range members {
		c.members = append(c.members, &member{crowd: c, rng: rand.New(rand.NewPCG(seed, uint64(i)))})
	}
	return c
}

// send gives m a token; w is the worker of the sender, nil outside.
func (m *member) send(w *scheduler.Worker) {
	m.pending.Add(1)
	if m.status.Load() != 0 || !m.status.CompareAndSwap(0, 1) {
		return
	}
	if w != nil {
		w.Schedule(m)
	} else {
		m.crowd.executor.Schedule(m)
	}
}

func (m *member) Run(w *scheduler.Worker) bool {
	if m.running.Add(1) != 1 {
		panic("two workers run the same activation")
	}
	c := m.crowd
	n := min(m.pending.Load(), 3) // sometimes not all, to come again
	m.pending.Add(-n)
	for range n {
		if c.hops.Add(-1) >= 0 {
			c.members[m.rng.IntN(len(c.members))].send(w)
		}
		if c.left.Add(-1) == 0 {
			close(c.done)
		}
	}
	m.running.Add(-1)
	if m.pending.Load() > 0 {
		return true
	}
	m.status.Store(0)
	return m.pending.Load() > 0 && m.status.CompareAndSwap(0, 1)
}

// stressExecutor passes tokens around until all hops are made: a lost wake-up, or an
// activation that was dropped, leaves tokens behind.
func stressExecutor(t testing.TB, cfg scheduler.ExecutorConfig, members int, refuse func() bool) scheduler.ExecutorStats {
	t.Helper()
	seed := rand.Uint64()
	cfg.OnPanic = func(v any, _ []byte) { t.Errorf("panic: %v", v) }
	e := newExecutor(t, cfg)
	if refuse != nil {
		e.RefuseSubmits(refuse)
	}
	const producers = 3
	tokens, hops := int64(3000), int64(6000)
	if testing.Short() {
		tokens, hops = 60, 150
	}
	c := newCrowd(e, members, tokens, hops, seed)
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 1<<32+uint64(p)))
			for range tokens / producers {
				c.members[rng.IntN(members)].send(nil)
				if rng.IntN(4) == 0 {
					goruntime.Gosched() // lets the executor fall idle in between
				}
			}
		})
	}
	await(t, c.done, func() string {
		return fmt.Sprintf("seed %d, %+v, %d members, %d tokens left, %+v", seed, cfg, members, c.left.Load(), e.Stats())
	})
	wg.Wait()
	return e.Stats()
}

// TestExecutorLosesNoWakeUp: over many shapes of the executor every token arrives and no
// activation runs twice at a time.
func TestExecutorLosesNoWakeUp(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for _, workers := range []int{1, 2, 4, 50} {
				for _, members := range []int{1, 2, 9, 200} {
					for _, capacity := range []int{1, 4, 4096} {
						for _, blocking := range []bool{false, true} {
							stressExecutor(t, scheduler.ExecutorConfig{
								MaxWorkers: workers, Capacity: capacity, Blocking: blocking,
							}, members, nil)
						}
					}
				}
			}
		})
	})
}

// TestExecutorSurvivesRefusals: whether ants refuses every Submit or some, nothing is stranded.
func TestExecutorSurvivesRefusals(t *testing.T) {
	patterns := map[string]func() bool{
		"all":  func() bool { return true },
		"half": func() bool { return rand.IntN(2) == 0 },
	}
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for name, refuse := range patterns {
				for _, workers := range []int{1, 3, 50} {
					for _, members := range []int{1, 20} {
						st := stressExecutor(t, scheduler.ExecutorConfig{MaxWorkers: workers, Capacity: 4}, members, refuse)
						if name == "all" && st.Refusals == 0 {
							t.Error("no refusal was counted")
						}
					}
				}
			}
		})
	})
}

// TestExecutorStressWithAddWorkers: changing the maximum all the time strands nothing, and at
// the end it holds.
func TestExecutorStressWithAddWorkers(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 2})
		c := newCrowd(e, 20, 100, 20_000, 1)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					e.AddWorkers(+3)
					goruntime.Gosched()
					e.AddWorkers(-3)
					goruntime.Gosched()
				}
			}
		})
		for i := range 100 {
			c.members[i%20].send(nil)
		}
		await(t, c.done, func() string { return fmt.Sprintf("%+v", e.Stats()) })
		close(stop)
		wg.Wait()
		if got := e.Stats().MaxWorkers; got != 2 {
			t.Errorf("MaxWorkers = %d after equal changes up and down, want 2", got)
		}
	})
}

// TestRunQueueStress: on a ring of 1, 2 and 8 with more activations than that, every
// activation comes out as often as it went in.
func TestRunQueueStress(t *testing.T) {
	for _, capacity := range []int{1, 2, 8} {
		repeat(t, func(t testing.TB) { stressRunQueue(t, capacity) })
	}
}

func stressRunQueue(t testing.TB, capacity int) {
	t.Helper()
	const goroutines, activations, rounds = 4, 8, 2000
	q := scheduler.NewRunQueue(capacity)
	var got [goroutines * activations]atomic.Int64
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for range rounds {
				for a := range activations {
					if a%2 == 0 {
						q.Push(numbered(g*activations + a))
					} else {
						q.PushSpent(numbered(g*activations + a))
					}
				}
			}
		})
		wg.Go(func() {
			for taken := 0; taken < rounds*activations; {
				if a := q.Pop(taken%4 == 0); a != nil {
					got[a.(numbered)].Add(1)
					taken++
				} else {
					goruntime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	for i := range got {
		if n := got[i].Load(); n != rounds {
			t.Errorf("capacity %d: activation %d came out %d times of %d", capacity, i, n, rounds)
		}
	}
	if !q.Empty() || q.Len() != 0 {
		t.Errorf("capacity %d: not empty at the end", capacity)
	}
}

type numbered int

func (numbered) Run(*scheduler.Worker) bool { return false }

// TestIdlePoolStress: under contention every assigned item is done exactly once, no
// member has two at a time, and at rest all are idle.
func TestIdlePoolStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for _, members := range []int{1, 2, 50, 64, 65, 130} {
				for _, overflow := range []int{0, 1, 7, 10_000} {
					stressIdlePool(t, members, overflow)
				}
			}
		})
	})
}

func stressIdlePool(t testing.TB, members, overflow int) {
	t.Helper()
	const assigners = 4
	items := 5000
	if testing.Short() {
		items = 200
	}
	p := scheduler.NewIdlePool[int](members, overflow)
	done := make([]atomic.Int32, assigners*items)
	work := make([]chan int, members)
	var workers, wg sync.WaitGroup
	for m := range members {
		work[m] = make(chan int, 1) // room for one: a member that is given two blocks its assigner, and shows below
		workers.Go(func() {
			for item := range work[m] {
				for ok := true; ok; item, ok = p.Next(m) {
					done[item].Add(1)
				}
			}
		})
	}
	for a := range assigners {
		wg.Go(func() {
			for i := range items {
				for {
					m, item, err := p.Assign(a*items + i)
					if err != nil {
						goruntime.Gosched() // full
						continue
					}
					if m >= 0 {
						select {
						case work[m] <- item:
						default:
							t.Errorf("member %d was given a second item", m)
						}
					}
					break
				}
			}
		})
	}
	wg.Wait()
	for m := range members {
		close(work[m])
	}
	workers.Wait()
	for i := range done {
		if n := done[i].Load(); n != 1 {
			t.Fatalf("%d members, overflow %d: item %d was done %d times", members, overflow, i, n)
		}
	}
	if p.Idle() != members || p.Queued() != 0 {
		t.Errorf("at rest %d of %d idle, %d queued", p.Idle(), members, p.Queued())
	}
}

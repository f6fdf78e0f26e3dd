package actor_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// A parent stops after its children, which handle what it has told them.
func ExampleSpawnChild() {
	sys := exampleSystem(actor.SystemConfig{})
	var child actor.Ref[string]
	parent := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		if child == (actor.Ref[string]{}) {
			child = actor.SpawnChild(c, func(_ *actor.Context[string], m string) error {
				fmt.Println("child:", m)
				return nil
			}, actor.Config{OnStop: func() { fmt.Println("child stops") }})
		}
		return child.TellFrom(c, m)
	}, actor.Config{OnStop: func() { fmt.Println("parent stops") }})
	_ = parent.Tell("one")
	_ = parent.Tell("two")
	_ = sys.Stop(context.Background())
	// Output:
	// child: one
	// child: two
	// child stops
	// parent stops
}

// tree spawns a parent that on "spawn" spawns a chain of depth actors below itself and
// passes other messages down the chain. Each records its OnStop.
type tree struct {
	sys     *actor.System
	stopped chan int // depths
	handled atomic.Int64
}

func (tr *tree) handler(depth int) func(*actor.Context[string], string) error {
	var child actor.Ref[string]
	return func(c *actor.Context[string], m string) error {
		if m == "spawn" {
			if depth == 0 {
				return nil
			}
			child = actor.SpawnChild(c, tr.handler(depth-1), actor.Config{
				Name: fmt.Sprint(depth - 1), OnStop: func() { tr.stopped <- depth - 1 },
			})
			return child.TellFrom(c, m)
		}
		tr.handled.Add(1)
		if depth == 0 {
			return nil
		}
		return child.TellFrom(c, m)
	}
}

// TestTreeStopsFromTheLeaves: whether the root or the system is stopped, every generation
// handles what the one above has told it, and stops after the one below.
func TestTreeStopsFromTheLeaves(t *testing.T) {
	const depth, messages = 5, 100
	for _, whole := range []bool{false, true} {
		withProcs(t, func(t *testing.T) {
			tr := &tree{sys: newTestSystem(t, actor.SystemConfig{}), stopped: make(chan int, depth+1)}
			root := actor.Spawn(tr.sys, tr.handler(depth), actor.Config{OnStop: func() { tr.stopped <- depth }})
			for i := range messages + 1 {
				m := "pass"
				if i == 0 {
					m = "spawn"
				}
				if err := root.Tell(m); err != nil {
					t.Fatal(err)
				}
			}
			if !whole {
				if err := root.Stop(within(t)); err != nil {
					t.Error(err)
				}
				if n := tr.sys.Stats().Actors; n != 0 {
					t.Errorf("%d actors left after the root has stopped", n)
				}
			}
			stopSystem(t, tr.sys)
			close(tr.stopped)
			var order []int
			for d := range tr.stopped {
				order = append(order, d)
			}
			if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5}) {
				t.Errorf("stopped in the order %v, want from the leaf up", order)
			}
			if got := tr.handled.Load(); got != messages*(depth+1) {
				t.Errorf("handled %d, want %d", got, messages*(depth+1))
			}
		})
	}
}

// TestStopOfAParentAtItsDeadline: what is left in the children becomes dead letters too.
func TestStopOfAParentAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var letters atomic.Int64
		sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(actor.DeadLetter) { letters.Add(1) }})
		release := make(chan struct{})
		parent := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
			child := actor.SpawnChild(c, func(*actor.Context[int], int) error {
				<-release
				return nil
			}, actor.Config{Blocking: true})
			for range 10 {
				if err := child.TellFrom(c, 0); err != nil {
					t.Error(err)
				}
			}
			return nil
		}, actor.Config{})
		if err := parent.Tell(0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := parent.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v", err)
		}
		synctest.Wait() // the child knows
		close(release)
		if err := parent.Stop(context.Background()); err != nil {
			t.Errorf("the second Stop = %v", err)
		}
		if n := letters.Load(); n != 9 {
			t.Errorf("%d dead letters, want 9", n)
		}
		stopSystem(t, sys)
	})
}

// TestEscalate: a failure that a child escalates stops the child and is the parent's failure,
// which restarts it and its other children with it.
func TestEscalate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []actor.Failure
		sys := newTestSystem(t, actor.SystemConfig{OnFailure: func(f actor.Failure) { failures = append(failures, f) }})
		lives := 0
		var children [2]actor.Ref[int]
		parent := actor.SpawnFunc(sys, func() func(*actor.Context[int], int) error {
			lives++
			return func(c *actor.Context[int], _ int) error {
				for i := range children {
					children[i] = actor.SpawnChild(c, func(*actor.Context[int], int) error { return errOops }, actor.Config{
						Name: "child",
						Supervision: &actor.Supervision{
							Decide: func(actor.Failure) actor.Directive { return actor.Escalate },
						},
					})
				}
				return nil
			}
		}, actor.Config{Name: "parent", Supervision: &actor.Supervision{Backoff: time.Second}})
		if err := parent.Tell(0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := children[0].Tell(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for i, child := range children {
			if err := child.Tell(1); err != mailbox.ErrClosed {
				t.Errorf("Tell to child %d after the restart = %v, want ErrClosed", i, err)
			}
		}
		stopSystem(t, sys)
		if lives != 2 || len(failures) != 2 {
			t.Fatalf("%d lives, failures %v; want 2 and 2", lives, failures)
		}
		if f := failures[1]; f.Actor != "parent" || !errors.Is(f.Err, errOops) || f.Err.Error() != `child "child": oops` {
			t.Errorf("the parent's failure is %+v", f)
		}
	})
}

// TestEscalateWithoutSupervision: a parent without supervision has the failure reported and
// goes on; an actor without a parent stops.
func TestEscalateWithoutSupervision(t *testing.T) {
	escalate := &actor.Supervision{Decide: func(actor.Failure) actor.Directive { return actor.Escalate }}
	sys := newSystem(t, actor.SystemConfig{})
	orphan := actor.Spawn(sys, func(*actor.Context[int], int) error { return errOops }, actor.Config{Supervision: escalate})
	told := make(chan struct{}, 2)
	parent := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
		if m == 0 {
			child := actor.SpawnChild(c, func(*actor.Context[int], int) error { return errOops }, actor.Config{Supervision: escalate})
			actor.Watch(c.Self(), child, 1)
			return child.TellFrom(c, 0)
		}
		told <- struct{}{}
		return nil
	}, actor.Config{})
	actor.Watch(parent, orphan, 2)
	for _, ref := range []actor.Ref[int]{orphan, parent} {
		if err := ref.Tell(0); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		select {
		case <-told:
		case <-within(t).Done():
			t.Fatal("not told that both have stopped")
		}
	}
	if got := sys.Stats(); got.Actors != 1 || got.Failures != 3 {
		t.Errorf("%+v, want the parent left and 3 failures", got)
	}
}

// TestSpawnChildStress: parents with children that come and go by themselves stop, whatever
// the order.
func TestSpawnChildStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			sys := newTestSystem(t, actor.SystemConfig{})
			var spawned, stopped atomic.Int64
			for range iterations(100) {
				parent := actor.Spawn(sys, func(c *actor.Context[int], n int) error {
					child := actor.SpawnChild(c, func(c *actor.Context[int], n int) error {
						if n%2 == 0 {
							c.Stop()
						}
						return nil
					}, actor.Config{OnStop: func() { stopped.Add(1) }})
					spawned.Add(1)
					return child.TellFrom(c, n)
				}, actor.Config{OnStop: func() { stopped.Add(1) }})
				spawned.Add(1)
				for n := range 5 {
					if err := parent.Tell(n); err != nil {
						t.Fatal(err)
					}
				}
				if parent.Close(); spawned.Load()%3 == 0 {
					if err := parent.Stop(within(t)); err != nil {
						t.Error(err)
					}
				}
			}
			stopSystem(t, sys)
			if got := sys.Stats(); spawned.Load() != stopped.Load() || got.Actors != 0 || got.Failures != 0 {
				t.Errorf("%d spawned, %d stopped, %+v", spawned.Load(), stopped.Load(), got)
			}
		})
	})
}

// TestCloseParentStress: a parent that is closed while it comes to rest closes its children, and stops.
func TestCloseParentStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			sys := newTestSystem(t, actor.SystemConfig{})
			var closers sync.WaitGroup
			for range 4 {
				closers.Go(func() {
					for n := range iterations(1000) {
						parent := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
							actor.SpawnChild(c, func(*actor.Context[int], int) error { return nil }, actor.Config{})
							return nil
						}, actor.Config{})
						if err := parent.Tell(0); err != nil {
							t.Error(err)
						}
						for i := range n % 300 { // at another moment each time
							goruntime.KeepAlive(i)
						}
						parent.Close()
						if err := parent.Stop(within(t)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			closers.Wait()
			stopSystem(t, sys)
		})
	})
}

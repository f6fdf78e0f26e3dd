package scheduler_test

import (
	"testing"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
	"pgregory.net/rapid"
)

func TestIdlePoolTakesTurns(t *testing.T) {
	p := scheduler.NewIdlePool[string](3, 2)
	for want := range 3 {
		if m, item, err := p.Assign("a"); m != want || item != "a" || err != nil {
			t.Fatalf("Assign = %d, %q, %v; want member %d", m, item, err, want)
		}
	}
	for _, v := range []string{"b", "c"} {
		if m, _, err := p.Assign(v); m != -1 || err != nil {
			t.Fatalf("Assign(%q) = %d, %v; want it to wait", v, m, err)
		}
	}
	if m, _, err := p.Assign("d"); m != -1 || err != mailbox.ErrFull {
		t.Fatalf("Assign = %d, %v; want ErrFull", m, err)
	}
	if p.Idle() != 0 || p.Queued() != 2 {
		t.Fatalf("%d idle, %d queued; want 0 and 2", p.Idle(), p.Queued())
	}
	for _, want := range []string{"b", "c"} {
		if item, ok := p.Next(1); item != want || !ok {
			t.Fatalf("Next = %q, %v; want %q", item, ok, want)
		}
	}
	if _, ok := p.Next(1); ok || p.Idle() != 1 {
		t.Fatalf("Next = %v with nothing queued, %d idle; want false and 1", ok, p.Idle())
	}
	if m, item, err := p.Assign("e"); m != 1 || item != "e" || err != nil {
		t.Fatalf("Assign = %d, %q, %v; want the idle member 1", m, item, err)
	}
}

func TestNewIdlePoolPanics(t *testing.T) {
	for _, args := range [][2]int{{0, 1}, {-1, 1}, {1, -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewIdlePool(%d, %d) did not panic", args[0], args[1])
				}
			}()
			scheduler.NewIdlePool[int](args[0], args[1])
		}()
	}
}

// TestIdlePoolAgainstModel: any sequence of calls behaves like a set of idle members and
// a first-in-first-out list.
func TestIdlePoolAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.IntRange(1, 130).Draw(t, "members")
		overflow := rapid.IntRange(0, 5).Draw(t, "overflow")
		p := scheduler.NewIdlePool[int](members, overflow)
		var busy []int
		idle := make(map[int]bool)
		for m := range members {
			idle[m] = true
		}
		var queue []int
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"assign": func(t *rapid.T) {
				m, item, err := p.Assign(next)
				switch {
				case len(idle) > 0:
					if err != nil || !idle[m] || item != next {
						t.Fatalf("Assign(%d) = %d, %d, %v with %d idle", next, m, item, err, len(idle))
					}
					delete(idle, m)
					busy = append(busy, m)
				case len(queue) < overflow:
					if m != -1 || err != nil {
						t.Fatalf("Assign(%d) = %d, %v with %d queued", next, m, err, len(queue))
					}
					queue = append(queue, next)
				default:
					if m != -1 || err != mailbox.ErrFull {
						t.Fatalf("Assign(%d) = %d, %v with a full queue", next, m, err)
					}
				}
				next++
			},
			"finish": func(t *rapid.T) {
				if len(busy) == 0 {
					t.Skip("nobody is busy")
				}
				i := rapid.IntRange(0, len(busy)-1).Draw(t, "who")
				item, ok := p.Next(busy[i])
				if len(queue) > 0 {
					if !ok || item != queue[0] {
						t.Fatalf("Next = %d, %v; want %d", item, ok, queue[0])
					}
					queue = queue[1:]
					return
				}
				if ok {
					t.Fatalf("Next = %d with nothing queued", item)
				}
				idle[busy[i]] = true
				busy = append(busy[:i], busy[i+1:]...)
			},
			"": func(t *rapid.T) {
				if p.Idle() != len(idle) || p.Queued() != len(queue) {
					t.Fatalf("%d idle, %d queued; want %d and %d", p.Idle(), p.Queued(), len(idle), len(queue))
				}
			},
		})
	})
}

func TestIdlePoolDoesNotAllocate(t *testing.T) {
	p := scheduler.NewIdlePool[int](2, 8)
	for i := range 10 { // fills the queue once
		_, _, _ = p.Assign(i)
	}
	allocs := testing.AllocsPerRun(1000, func() {
		p.Next(0)
		_, _, _ = p.Assign(1)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a Next and an Assign", allocs)
	}
}

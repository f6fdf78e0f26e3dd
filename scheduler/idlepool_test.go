package scheduler_test

import (
	goruntime "runtime"
	"sync"
	"sync/atomic"
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

// TestIdlePoolLevels: waiting items leave by level, 8:4:2:1, and in order within one.
func TestIdlePoolLevels(t *testing.T) {
	p := scheduler.NewIdlePool[[2]int](1, 200)
	if m, _, err := p.Assign([2]int{}); m != 0 || err != nil {
		t.Fatalf("Assign = %d, %v; want the idle member", m, err)
	}
	for i := range 30 {
		for _, level := range []mailbox.Level{scheduler.Low, scheduler.Normal, scheduler.High, scheduler.Critical} {
			if _, _, err := p.AssignLevel([2]int{int(level), i}, level); err != nil {
				t.Fatal(err)
			}
		}
	}
	var count, next [4]int
	for range 30 { // two rounds
		item, ok := p.Next(0)
		if !ok || item[1] != next[item[0]] {
			t.Fatalf("Next = %v, %v; want number %d of its level", item, ok, next[item[0]])
		}
		count[item[0]]++
		next[item[0]]++
	}
	if count != [4]int{16, 8, 4, 2} {
		t.Errorf("30 items by level: %v; want 16, 8, 4, 2", count)
	}
}

// TestIdlePoolAssignAll: a batch is taken whole or not at all, and goes to idle members first.
func TestIdlePoolAssignAll(t *testing.T) {
	p := scheduler.NewIdlePool[int](2, 4)
	given := map[int]int{}
	give := func(member, item int) { given[member] = item }
	if err := p.AssignAll([]int{1, 2, 3, 4}, scheduler.Normal, give); err != nil || len(given) != 2 || given[0]+given[1] != 3 || p.Queued() != 2 {
		t.Fatalf("AssignAll: %v, given %v, %d queued; want 1 and 2 given, two queued", err, given, p.Queued())
	}
	if err := p.AssignAll([]int{5, 6, 7}, scheduler.Normal, give); err != mailbox.ErrFull || p.Queued() != 2 {
		t.Fatalf("AssignAll = %v, %d queued; want ErrFull and nothing taken", err, p.Queued())
	}
	for _, want := range []int{3, 4} {
		if item, ok := p.Next(1); item != want || !ok {
			t.Fatalf("Next = %d, %v; want %d", item, ok, want)
		}
	}
}

// TestIdlePoolResize: nobody above the size is given anything, busy ones finish first, and who comes back
// takes what waits.
func TestIdlePoolResize(t *testing.T) {
	p := scheduler.NewIdlePool[int](4, 10)
	var given []int
	give := func(member, item int) { given = append(given, member, item) }
	for i := range 4 {
		if m, _, err := p.Assign(i); m != i || err != nil {
			t.Fatalf("Assign = %d, %v", m, err)
		}
	}
	p.Next(3) // idle, 0 to 2 are busy
	p.Resize(1, give)
	if p.Size() != 1 || p.Idle() != 0 {
		t.Fatalf("size %d, %d idle; want 1 and 0: member 3 is retired", p.Size(), p.Idle())
	}
	if m, _, err := p.Assign(10); m != -1 || err != nil {
		t.Fatalf("Assign = %d, %v; want it to wait for member 0", m, err)
	}
	if _, ok := p.Next(1); ok { // retires although an item waits
		t.Fatal("a member above the size was given an item")
	}
	if item, ok := p.Next(0); item != 10 || !ok {
		t.Fatalf("Next(0) = %d, %v; want 10", item, ok)
	}
	for i := 11; i <= 13; i++ {
		if m, _, err := p.Assign(i); m != -1 || err != nil {
			t.Fatalf("Assign = %d, %v; want it to wait", m, err)
		}
	}
	p.Resize(9, give) // more than there are: four
	if p.Size() != 4 || len(given) != 4 || p.Queued() != 1 {
		t.Fatalf("size %d, given %v, %d queued; want 4, two given to members 1 and 3, one queued", p.Size(), given, p.Queued())
	}
	if item, ok := p.Next(2); item != 13 || !ok { // was busy all the time
		t.Fatalf("Next(2) = %d, %v; want 13", item, ok)
	}
}

// TestIdlePoolResizeStress: under constant resizing every item is given to one member, none that is busy, and
// nothing is left behind.
func TestIdlePoolResizeStress(t *testing.T) {
	const members, producers = 6, 3
	items := 20_000
	if testing.Short() {
		items = 2_000
	}
	p := scheduler.NewIdlePool[int](members, producers*items)
	var busy [members]atomic.Bool
	seen := make([]atomic.Int32, producers*items)
	var left, wg sync.WaitGroup
	left.Add(producers * items)
	work := func(m, item int) {
		if busy[m].Swap(true) {
			t.Errorf("member %d was given an item while it was busy", m)
		}
		go func() {
			for ok := true; ok; {
				seen[item].Add(1)
				busy[m].Store(false) // before Next: it may make m idle
				left.Done()
				next, more := p.Next(m)
				if item, ok = next, more; ok && busy[m].Swap(true) {
					t.Errorf("member %d was given an item twice at once", m)
				}
			}
		}()
	}
	for a := range producers {
		wg.Go(func() {
			for i := range items / 4 {
				vs := []int{a*items + 4*i, a*items + 4*i + 1, a*items + 4*i + 2}
				if err := p.AssignAll(vs, scheduler.Normal, work); err != nil {
					t.Error(err)
				}
				m, item, err := p.Assign(a*items + 4*i + 3)
				if err != nil {
					t.Error(err)
				} else if m >= 0 {
					work(m, item)
				}
			}
		})
	}
	stop, resized := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(resized)
		for n := 1; ; n = n%members + 1 {
			select {
			case <-stop:
				p.Resize(members, work)
				return
			default:
				p.Resize(n, work)
				goruntime.Gosched()
			}
		}
	}()
	wg.Wait()
	left.Wait()
	close(stop)
	<-resized
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Fatalf("item %d was given %d times", i, n)
		}
	}
	if p.Queued() != 0 {
		t.Errorf("%d items are left", p.Queued())
	}
}

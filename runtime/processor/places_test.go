package processor_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/processor"
)

func isCalled(w *processor.Waiter) bool {
	select {
	case <-w.Called():
		return true
	default:
		return false
	}
}

// TestLineOrder: callers are called first come first served, one that came in
// vain goes to the front, and a call to one that left is passed on.
func TestLineOrder(t *testing.T) {
	var l processor.Line
	l.Call() // nobody is there
	a, b := l.Queue(false), l.Queue(false)
	front := l.Queue(true)
	for i, want := range []*processor.Waiter{front, a} {
		l.Call()
		if !isCalled(want) || isCalled(b) {
			t.Fatalf("call %d reached the wrong caller", i)
		}
	}
	l.Unqueue(a) // was called and does not need it: b is next
	if !isCalled(b) {
		t.Error("the call was not passed on")
	}
	c, d := l.Queue(false), l.Queue(false)
	l.Unqueue(c)
	l.Call()
	if isCalled(c) || !isCalled(d) {
		t.Error("a caller that left was called")
	}
}

// TestLineStress: nobody sleeps beside a free place, and the bound holds: many
// goroutines pass through three places, some give up on the way.
func TestLineStress(t *testing.T) {
	const limit, callers, rounds = 3, 16, 500
	places, l := processor.NewPlaces(limit), new(processor.Line)
	var inside, worst atomic.Int64
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	gaveUp, stop := context.WithCancel(ctx)
	stop()
	pass := func(patience context.Context) bool {
		for again := false; !places.Enter(); again = true {
			w := l.Queue(again)
			if places.Enter() {
				l.Unqueue(w)
				break
			}
			select {
			case <-w.Called():
			case <-patience.Done():
				l.Unqueue(w)
				return false
			}
		}
		n := inside.Add(1)
		for old := worst.Load(); n > old && !worst.CompareAndSwap(old, n); old = worst.Load() {
		}
		inside.Add(-1)
		places.Leave()
		l.Call()
		return true
	}
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for range rounds {
				if c%4 == 0 {
					pass(gaveUp)
				} else if !pass(ctx) {
					t.Error("a caller slept beside a free place")
					return
				}
			}
		})
	}
	wg.Wait()
	if worst.Load() > limit || places.Leave() != -1 {
		t.Errorf("%d were inside, limit %d, or a place was lost", worst.Load(), limit)
	}
}

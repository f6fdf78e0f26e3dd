package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

func newWheel(t testing.TB, cfg scheduler.WheelConfig) *scheduler.Wheel {
	t.Helper()
	w, err := scheduler.NewWheel(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestWheelConfig(t *testing.T) {
	for _, c := range []struct {
		cfg  scheduler.WheelConfig
		want string // part of the error, or none
	}{
		{scheduler.WheelConfig{}, ""},
		{scheduler.WheelConfig{Granularity: time.Second, Shards: 256}, ""},
		{scheduler.WheelConfig{Granularity: time.Nanosecond}, "Granularity is 1ns; want 1µs to 1s"},
		{scheduler.WheelConfig{Granularity: time.Minute}, "Granularity is 1m0s"},
		{scheduler.WheelConfig{Shards: -1}, "Shards is -1; want 1 to 256"},
		{scheduler.WheelConfig{Shards: 257}, "Shards is 257"},
	} {
		w, err := scheduler.NewWheel(c.cfg)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c.cfg, err)
		case c.want == "" && (w.Granularity() > time.Second || w.Granularity() < time.Microsecond/2):
			t.Errorf("%+v: granularity %v", c.cfg, w.Granularity())
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: error %v; want %q", c.cfg, err, c.want)
		}
	}
}

// TestWheelFiresOnTime: at any distance, from one tick to years, a timer fires within one
// granularity after its deadline and never before, by the fake clock exactly; also when
// timers come down from every level, and when the wheel has slept in between.
func TestWheelFiresOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		w := newWheel(t, scheduler.WheelConfig{Shards: 2})
		for round := range 40 {
			var timers [50]scheduler.Timer
			var wg sync.WaitGroup
			for i := range timers {
				d := time.Duration(rng.Int64N(1 << (10 + rng.Int64N(40)))) // up to 13 days
				deadline := time.Now().Add(d)
				wg.Add(1)
				timers[i].Init(func() {
					if late := time.Since(deadline); late < 0 || late > w.Granularity() {
						t.Errorf("seed %d, round %d: a timer of %v fired %v late", seed, round, d, late)
					}
					wg.Done()
				})
				started := false
				if i%2 == 0 {
					started = w.Start(&timers[i], d)
				} else {
					started = w.StartAt(&timers[i], deadline)
				}
				if !started {
					t.Fatal("not started")
				}
				time.Sleep(time.Duration(rng.Int64N(int64(time.Millisecond))))
			}
			wg.Wait()
			if n := w.Armed(); n != 0 {
				t.Fatalf("%d timers armed after all have fired", n)
			}
			time.Sleep(time.Duration(rng.Int64N(int64(time.Hour)))) // idle
		}
	})
}

// TestWheelExtremes: deadlines that are past, zero, and as far as a Duration goes.
func TestWheelExtremes(t *testing.T) {
	for _, granularity := range []time.Duration{time.Microsecond, time.Millisecond, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newWheel(t, scheduler.WheelConfig{Granularity: granularity})
			fired := 0
			var past, zero, far, farther scheduler.Timer
			for _, timer := range []*scheduler.Timer{&past, &zero, &far, &farther} {
				timer.Init(func() { fired++ })
			}
			time.Sleep(time.Minute) // so that the furthest deadline is past the end of time
			start := time.Now()
			w.Start(&zero, 0)
			w.StartAt(&past, start.Add(-time.Hour))
			w.Start(&far, math.MaxInt64)
			w.StartAt(&farther, start.Add(math.MaxInt64))
			time.Sleep(2 * granularity)
			synctest.Wait()
			if fired != 2 {
				t.Errorf("granularity %v: %d timers fired; want those of now and of the past", granularity, fired)
			}
			if !far.Stop() || !farther.Stop() || w.Armed() != 0 {
				t.Errorf("granularity %v: a timer of 292 years was not armed", granularity)
			}
		})
	}
}

// TestTimerStop: Stop answers true exactly if it prevented the callback.
func TestTimerStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(t, scheduler.WheelConfig{})
		fired := 0
		var timer scheduler.Timer
		if timer.Stop() {
			t.Error("Stop = true before the first Start")
		}
		timer.Init(func() { fired++ })
		w.Start(&timer, time.Second)
		if !timer.Stop() || timer.Stop() {
			t.Error("Stop of an armed timer, twice: want true and false")
		}
		time.Sleep(time.Minute)
		if fired != 0 {
			t.Error("a stopped timer fired")
		}
		w.Start(&timer, time.Second)
		w.Start(&timer, time.Hour) // moves it
		time.Sleep(time.Minute)
		synctest.Wait()
		if fired != 0 || w.Armed() != 1 {
			t.Errorf("moved from 1 s to 1 h: fired %d times after a minute, %d armed", fired, w.Armed())
		}
		w.Start(&timer, time.Second)
		time.Sleep(time.Minute)
		synctest.Wait()
		if fired != 1 || timer.Stop() || w.Armed() != 0 {
			t.Errorf("moved back to 1 s: fired %d times, %d armed", fired, w.Armed())
		}
	})
}

// TestWheelCallbackRestarts: a callback may start and stop timers, its own too; a period of 0
// does not keep the wheel from the others.
func TestWheelCallbackRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(t, scheduler.WheelConfig{Shards: 1})
		var again, past, other scheduler.Timer
		laps, pastLaps, stopped := 0, 0, false
		again.Init(func() { laps++; w.Start(&again, 0) })
		past.Init(func() { pastLaps++; w.StartAt(&past, time.Now()) })
		other.Init(func() { stopped = again.Stop() && past.Stop() })
		w.Start(&again, 0)
		w.Start(&past, 0)
		w.Start(&other, 100*w.Granularity())
		time.Sleep(time.Second)
		synctest.Wait()
		if !stopped || laps < 98 || laps > 101 || pastLaps < 98 || pastLaps > 101 {
			t.Errorf("in 100 ticks %d and %d laps, stopped = %v", laps, pastLaps, stopped)
		}
	})
}

// TestWheelSleeps: the wheel wakes for deadlines and for little else: no polling.
func TestWheelSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(t, scheduler.WheelConfig{Shards: 4})
		wakes := scheduler.CountSweeps(w)
		var timers [100]scheduler.Timer
		for i := range timers {
			timers[i].Init(func() {})
			w.Start(&timers[i], time.Hour)
		}
		for i := range timers[1:] {
			timers[i].Stop()
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := wakes(); n < 1 || n > 4 {
			t.Errorf("%d wake-ups for a timer of an hour; want at most one for each of its levels", n)
		}
		before := wakes()
		time.Sleep(24 * time.Hour)
		if n := wakes() - before; n != 0 {
			t.Errorf("%d wake-ups while nothing was armed", n)
		}
	})
}

func TestWheelStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := scheduler.NewWheel(scheduler.WheelConfig{})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		var busy, next, later scheduler.Timer
		busy.Init(func() { <-release })
		next.Init(func() { t.Error("fired after Stop") })
		later.Init(func() { t.Error("fired after Stop") })
		w.Start(&busy, time.Second)
		w.Start(&next, 2*time.Second)
		time.Sleep(time.Minute)
		synctest.Wait()

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := w.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "callback is running") {
			t.Errorf("Stop = %v; want that a callback is running", err)
		}
		close(release)
		for range 2 {
			if err := w.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
		if w.Start(&later, time.Second) || w.StartAt(&later, time.Now()) {
			t.Error("Start = true after Stop")
		}
		time.Sleep(time.Minute)
	})
}

// TestWheelStartedBesideLateCallback: a timer that a slow callback starts is not taken for one of the slot that is being
// emptied, a lap of the wheel later.
func TestWheelStartedBesideLateCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(t, scheduler.WheelConfig{Shards: 1})
		tick := w.Granularity()
		var slow, next scheduler.Timer
		var deadline, fired time.Time
		next.Init(func() { fired = time.Now() })
		slow.Init(func() {
			time.Sleep(50 * tick)
			deadline = time.Now().Add(14 * tick) // 64 after this one
			w.StartAt(&next, deadline)
			w.Start(&next, 14*tick)
		})
		w.Start(&slow, 40*tick)
		time.Sleep(time.Second)
		synctest.Wait()
		if fired.Before(deadline) {
			t.Errorf("fired %v early", deadline.Sub(fired))
		}
	})
}

func TestWheelPanics(t *testing.T) {
	a, b := newWheel(t, scheduler.WheelConfig{}), newWheel(t, scheduler.WheelConfig{})
	var used, empty scheduler.Timer
	used.Init(func() {})
	a.Start(&used, time.Hour)
	for name, f := range map[string]func(){
		"no callback":   func() { a.Start(&empty, 0) },
		"another wheel": func() { b.Start(&used, 0) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), name) {
					t.Errorf("%s: panic %v", name, v)
				}
			}()
			f()
		}()
	}
}

// TestWheelStress: goroutines start, move and stop shared timers at random. For each timer
// arming is counted as starts of a disarmed one, so that at the end every arming is
// accounted for by one firing or one Stop that answered true; and none fires early.
func TestWheelStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) { stressWheel(t, rand.Uint64()) })
	})
}

// alarm is a timer with an owner at a time, as an attempt has: the mutex stands for the
// owner's own protocol, the wheel does not need it.
type alarm struct {
	timer    scheduler.Timer
	mu       sync.Mutex
	deadline time.Time
	started  int
	ended    atomic.Int64 // fired or stopped
}

func stressWheel(t testing.TB, seed uint64) {
	t.Helper()
	rounds := 5000
	if testing.Short() {
		rounds = 500
	}
	w := newWheel(t, scheduler.WheelConfig{Granularity: 20 * time.Microsecond, Shards: 2})
	alarms := make([]alarm, 16)
	for i := range alarms {
		a := &alarms[i]
		a.timer.Init(func() {
			a.ended.Add(1)
			// Whoever holds mu may be moving the deadline, and if more was started than has ended
			// it is that of a later start: then there is nothing to compare.
			if a.mu.TryLock() {
				if early := time.Until(a.deadline); early > 0 && a.ended.Load() == int64(a.started) {
					t.Errorf("seed %d: %v early", seed, early)
				}
				a.mu.Unlock()
			}
		})
	}
	var wg sync.WaitGroup
	for g := range 4 {
		rng := rand.New(rand.NewPCG(seed, uint64(g)))
		wg.Go(func() {
			for range rounds {
				a := &alarms[rng.IntN(len(alarms))]
				a.mu.Lock()
				if a.timer.Stop() {
					a.ended.Add(1)
					a.deadline = time.Time{} // a callback of before may still be about to look at it
				}
				if rng.IntN(4) > 0 {
					d := time.Duration(rng.Int64N(int64(500 * time.Microsecond)))
					a.deadline = time.Now().Add(d)
					a.started++
					if rng.IntN(2) == 0 {
						w.Start(&a.timer, d)
					} else {
						w.StartAt(&a.timer, a.deadline)
					}
				}
				a.mu.Unlock()
			}
		})
	}
	wg.Wait()
	for range 2 { // the second firing is in a later sweep, so all of the first is over
		fired := make(chan struct{})
		var last scheduler.Timer
		last.Init(func() { close(fired) })
		w.Start(&last, time.Millisecond) // after all others
		await(t, fired, func() string { return fmt.Sprintf("seed %d, %d timers armed", seed, w.Armed()) })
	}
	if err := w.Stop(context.Background()); err != nil { // the callbacks have returned
		t.Fatal(err)
	}
	for i := range alarms {
		if a := &alarms[i]; int64(a.started) != a.ended.Load() {
			t.Errorf("seed %d: timer %d was armed %d times, ended %d times", seed, i, a.started, a.ended.Load())
		}
	}
}

func TestWheelDoesNotAllocate(t *testing.T) {
	w := newWheel(t, scheduler.WheelConfig{})
	var timer scheduler.Timer
	timer.Init(func() {})
	deadline := time.Now().Add(time.Hour)
	for name, f := range map[string]func(){
		"Start":   func() { w.Start(&timer, time.Hour); timer.Stop() },
		"StartAt": func() { w.StartAt(&timer, deadline); timer.Stop() },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func ExampleWheel() {
	w, err := scheduler.NewWheel(scheduler.WheelConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = w.Stop(context.Background()) }()

	type request struct {
		timeout scheduler.Timer // part of the request: arming it allocates nothing
		late    chan struct{}
	}
	r := &request{late: make(chan struct{})}
	r.timeout.Init(func() { close(r.late) })

	w.Start(&r.timeout, time.Hour)
	fmt.Println("in time:", r.timeout.Stop())
	w.Start(&r.timeout, time.Millisecond)
	<-r.late
	fmt.Println("too late, still armed:", r.timeout.Stop())
	// Output:
	// in time: true
	// too late, still armed: false
}

// BenchmarkTimeout arms a timeout of 30 s and stops it.
func BenchmarkTimeout(b *testing.B) {
	const timeout = 30 * time.Second
	b.Run("impl=wheel", func(b *testing.B) {
		b.ReportAllocs()
		w := newWheel(b, scheduler.WheelConfig{})
		var timer scheduler.Timer
		timer.Init(func() {})
		for b.Loop() {
			w.Start(&timer, timeout)
			timer.Stop()
		}
	})
	b.Run("impl=wheel-deadline", func(b *testing.B) {
		b.ReportAllocs()
		w := newWheel(b, scheduler.WheelConfig{})
		var timer scheduler.Timer
		timer.Init(func() {})
		deadline := time.Now().Add(timeout)
		for b.Loop() {
			w.StartAt(&timer, deadline)
			timer.Stop()
		}
	})
	b.Run("impl=wheel/armed=100000", func(b *testing.B) {
		b.ReportAllocs()
		w := newWheel(b, scheduler.WheelConfig{})
		others := make([]scheduler.Timer, 100_000)
		for i := range others {
			others[i].Init(func() {})
			w.Start(&others[i], timeout+time.Duration(i)*time.Millisecond)
		}
		var timer scheduler.Timer
		timer.Init(func() {})
		for b.Loop() {
			w.Start(&timer, timeout)
			timer.Stop()
		}
	})
	b.Run("impl=wheel-parallel", func(b *testing.B) {
		b.ReportAllocs()
		w := newWheel(b, scheduler.WheelConfig{})
		b.RunParallel(func(pb *testing.PB) {
			var timer scheduler.Timer
			timer.Init(func() {})
			for pb.Next() {
				w.Start(&timer, timeout)
				timer.Stop()
			}
		})
	})
	b.Run("impl=time.AfterFunc", func(b *testing.B) {
		b.ReportAllocs()
		f := func() {}
		for b.Loop() {
			time.AfterFunc(timeout, f).Stop()
		}
	})
	b.Run("impl=context.WithTimeout", func(b *testing.B) {
		b.ReportAllocs()
		ctx := context.Background()
		for b.Loop() {
			_, cancel := context.WithTimeout(ctx, timeout)
			cancel()
		}
	})
	b.Run("impl=clock", func(b *testing.B) { // what a Start reads
		began := time.Now()
		for b.Loop() {
			_ = time.Since(began)
		}
	})
}

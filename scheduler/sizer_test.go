package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/scheduler"
	"github.com/ringmill/ringmill/scheduler/simulation"
)

func newSizer(t testing.TB, cfg scheduler.SizerConfig, size int) *scheduler.Sizer {
	t.Helper()
	s, err := scheduler.NewSizer(cfg, size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const interval = simulation.Interval

func fixed(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// TestSizerStepResponse: at 200, 800, 1300 and 300 arrivals a second of 50 ms each the pool settles
// within 0.7 s of each step, with every seed, and at the end it needs no more than some 28 members of 500.
func TestSizerStepResponse(t *testing.T) {
	var settled [3]time.Duration // over the seeds, in all
	var idle int
	const seeds = 50
	for seed := range uint64(seeds) {
		s := newSizer(t, scheduler.SizerConfig{Min: 2, Max: 500}, 10)
		p := simulation.NewPool(s, seed, 200, fixed(50*time.Millisecond))
		p.Run(10 * time.Second)
		for i, rate := range []float64{800, 1300, 300} {
			from := p.Now()
			p.Rate = rate
			p.Run(10 * time.Second)
			d := p.Settled(from)
			settled[i] += d
			if d > 700*time.Millisecond {
				t.Errorf("seed %d: at %.0f/s settled after %v", seed, rate, d)
			}
		}
		least, most := p.Sizes(p.Now() - 5*time.Second)
		if least < 20 || most > 40 {
			t.Errorf("seed %d: at 300/s of 50 ms the size is %d to %d", seed, least, most)
		}
		idle += s.Size()
	}
	for i, name := range []string{"200 -> 800/s", "800 -> 1300/s", "1300 -> 300/s"} {
		t.Logf("%s: settled after %v on average", name, settled[i]/seeds)
	}
	mean := float64(idle) / seeds
	t.Logf("300/s: size %.1f on average", mean)
	if mean < 24 || mean > 32 {
		t.Errorf("at 300/s of 50 ms the size is %.1f on average; want about 28", mean)
	}
}

// TestSizerIsSteady: at a constant rate the size moves little and the waits stay short, whatever
// the service times.
func TestSizerIsSteady(t *testing.T) {
	for _, service := range serviceTimes {
		rng := rand.New(rand.NewPCG(1, 1))
		s := newSizer(t, scheduler.SizerConfig{Min: 2, Max: 500}, 10)
		p := simulation.NewPool(s, 1, 400, func(int) time.Duration { return service.draw(rng) / 20 })
		p.Run(time.Minute)
		changes := 0
		for _, d := range p.Decisions[100:] {
			if d.To != d.From {
				changes++
			}
		}
		least, most := p.Sizes(10 * time.Second)
		t.Logf("%s: size %d to %d, %d changes in 50 s", service.name, least, most, changes)
		if changes > 100 || most > 100 {
			t.Errorf("%s: size %d to %d, %d changes in 50 s", service.name, least, most, changes)
		}
	}
}

// TestSizerUnderContention: where more members only slow each other down the pool does not
// grow to its bound; where they do harm it goes down again.
func TestSizerUnderContention(t *testing.T) {
	const cores = 8
	flat := func(busy int) time.Duration { // 800 a second at best, from 8 members on
		return 10 * time.Millisecond * time.Duration(max(busy, cores)) / cores
	}
	harmful := func(busy int) time.Duration { // fewer and fewer
		over := time.Duration(max(busy, cores))
		return 10 * time.Millisecond * over * over / (cores * cores)
	}
	for _, c := range []struct {
		name    string
		service func(int) time.Duration
		most    int
	}{{"flat", flat, 100}, {"harmful", harmful, 60}} {
		s := newSizer(t, scheduler.SizerConfig{Min: 2, Max: 5000}, 8)
		p := simulation.NewPool(s, 1, 400, c.service)
		p.Run(5 * time.Second) // calm: the service time is learnt
		p.Rate = 1000
		p.Run(30 * time.Second)
		least, most := p.Sizes(20 * time.Second)
		t.Logf("%s: size %d to %d", c.name, least, most)
		if most > c.most {
			t.Errorf("%s: size %d to %d; want at most %d", c.name, least, most, c.most)
		}
	}
}

// TestSizerWhenTasksGetSlower: what was learnt is wrong by a factor of four when a dependency
// slows down: the pool climbs out of it by trying.
func TestSizerWhenTasksGetSlower(t *testing.T) {
	service := 50 * time.Millisecond
	s := newSizer(t, scheduler.SizerConfig{Min: 2, Max: 500}, 10)
	p := simulation.NewPool(s, 1, 400, func(int) time.Duration { return service })
	p.Run(10 * time.Second)
	service *= 4
	from := p.Now()
	p.Run(time.Minute)
	d := p.Settled(from)
	t.Logf("size %d after the change, settled after %v", s.Size(), d)
	if d > 30*time.Second {
		t.Errorf("not settled after %v", d)
	}
	reasons := make(map[scheduler.SizeReason]int)
	for _, d := range p.Decisions {
		reasons[d.Reason]++
	}
	t.Log(reasons)
}

// TestSizerBounds: neither load nor idleness leads out of the bounds, and arrivals of nothing lead
// down to Min.
func TestSizerBounds(t *testing.T) {
	s := newSizer(t, scheduler.SizerConfig{Min: 3, Max: 7}, 5)
	busy := scheduler.SizeObservation{Elapsed: interval, Arrived: 1000, Completed: 10, Service: 5 * time.Second, Wait: time.Second, Busy: 1, Queued: 990}
	for range 100 {
		if d := s.Observe(busy); d.To < 3 || d.To > 7 {
			t.Fatalf("%v", d)
		}
	}
	calm := scheduler.SizeObservation{Elapsed: interval}
	for range 100 {
		if d := s.Observe(calm); d.To < 3 || d.To > 7 {
			t.Fatalf("%v", d)
		}
	}
	if s.Size() != 3 {
		t.Errorf("size %d after 10 s without work; want Min", s.Size())
	}
	if d := s.Observe(scheduler.SizeObservation{}); d.To != 3 || d.Reason != scheduler.SizeHeld {
		t.Errorf("an interval of no length: %v", d)
	}
}

// TestSizerBeforeTheFirstCompletion: with nothing learnt the pool doubles while all is busy and
// items wait, and does not shrink.
func TestSizerBeforeTheFirstCompletion(t *testing.T) {
	s := newSizer(t, scheduler.SizerConfig{Min: 1, Max: 30}, 4)
	stuck := scheduler.SizeObservation{Elapsed: interval, Arrived: 50, Wait: time.Second, Busy: 1, Queued: 50}
	for _, want := range []int{8, 16, 30, 30} {
		if d := s.Observe(stuck); d.To != want {
			t.Errorf("%v; want %d", d, want)
		}
	}
	for range 10 {
		if d := s.Observe(scheduler.SizeObservation{Elapsed: interval, Arrived: 1}); d.To != 30 {
			t.Errorf("%v: without a service time; want 30", d)
		}
	}
}

// TestSizerTriesBothSides: at Max there is no step up, so the next is one down, and it is undone
// when the throughput falls.
func TestSizerTriesBothSides(t *testing.T) {
	s := newSizer(t, scheduler.SizerConfig{Min: 1, Max: 20}, 20)
	s.Observe(scheduler.SizeObservation{Elapsed: interval, Arrived: 10, Completed: 10, Service: 10 * 10 * time.Millisecond})
	var tried, undone bool
	for range 200 {
		d := s.Observe(scheduler.SizeObservation{
			Elapsed: interval, Arrived: 100, Completed: 5 * s.Size(), Service: time.Second, Wait: time.Second, Busy: 1, Queued: 500,
		})
		tried = tried || d.Reason == scheduler.SizeTried && d.To == 18
		undone = undone || d.Reason == scheduler.SizeUndone && d.From == 18 && d.To == 20
	}
	if !tried || !undone {
		t.Errorf("a step down tried: %v, undone: %v; want both", tried, undone)
	}
}

// TestSizerDecision: the record says what was decided and why.
func TestSizerDecision(t *testing.T) {
	s := newSizer(t, scheduler.SizerConfig{Min: 1, Max: 100}, 10)
	d := s.Observe(scheduler.SizeObservation{
		Elapsed: interval, Arrived: 40, Completed: 20, Service: time.Second, Wait: 20 * time.Millisecond, Busy: 1, Queued: 20,
	})
	want := "100ms: grown, 10 -> 20 (need 29, service 50ms, wait 20ms, queued 20)"
	if d.String() != want {
		t.Errorf("decision %q; want %q", d, want)
	}
	for r, want := range map[scheduler.SizeReason]string{
		scheduler.SizeHeld: "held", scheduler.SizeGrown: "grown", scheduler.SizeShrunk: "shrunk",
		scheduler.SizeTried: "tried", scheduler.SizeUndone: "undone", 99: "SizeReason(99)",
	} {
		if r.String() != want {
			t.Errorf("%d is %q; want %q", r, r, want)
		}
	}
}

func TestSizerConfig(t *testing.T) {
	for want, cfg := range map[string]scheduler.SizerConfig{
		"Min is 0 and Max is 0; want 1 <= Min <= Max <= 65536": {},
		"Min is 5 and Max is 4":                                {Min: 5, Max: 4},
		"Interval is 1ms; want 10ms to 10s, or 0 for 100ms":    {Min: 1, Max: 9, Interval: time.Millisecond},
		"GrowAbove is 1µs; want at least 1ms, or 0 for 5ms":    {Min: 1, Max: 9, GrowAbove: time.Microsecond},
		"ShrinkBelow is 5ms; want less than GrowAbove":         {Min: 1, Max: 9, ShrinkBelow: 5 * time.Millisecond},
		"the size at the start is 10; want 1 to 9":             {Min: 1, Max: 9},
	} {
		if _, err := scheduler.NewSizer(cfg, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", cfg, err, want)
		}
	}
}

func TestSizerDoesNotAllocate(t *testing.T) {
	s := newSizer(t, scheduler.SizerConfig{Min: 1, Max: 100}, 10)
	o := scheduler.SizeObservation{Elapsed: interval, Arrived: 40, Completed: 40, Service: 2 * time.Second, Wait: 20 * time.Millisecond, Busy: 1, Queued: 20}
	if n := testing.AllocsPerRun(1000, func() { s.Observe(o) }); n != 0 {
		t.Errorf("%v allocations for a decision", n)
	}
}

func ExampleSizer() {
	s, err := scheduler.NewSizer(scheduler.SizerConfig{Min: 2, Max: 100}, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Every 100 ms the owner of a pool reports, and sets the size that comes back.
	for _, o := range []scheduler.SizeObservation{
		{Arrived: 20, Completed: 20, Service: time.Second, Busy: 1},
		{Arrived: 80, Completed: 20, Service: time.Second, Busy: 1, Wait: 40 * time.Millisecond, Queued: 60},
		{Arrived: 80, Completed: 40, Service: 2 * time.Second, Busy: 1, Wait: 60 * time.Millisecond, Queued: 100},
	} {
		o.Elapsed = 100 * time.Millisecond
		fmt.Println(s.Observe(o))
	}
	// Output:
	// 100ms: held, 10 -> 10 (need 17, service 50ms, wait 0s, queued 0)
	// 200ms: grown, 10 -> 20 (need 35, service 50ms, wait 40ms, queued 60)
	// 300ms: grown, 20 -> 40 (need 44, service 50ms, wait 60ms, queued 100)
}

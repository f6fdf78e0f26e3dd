package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

func newPriorityQueue[T any](t testing.TB, cfg scheduler.PriorityConfig[T]) *scheduler.PriorityQueue[T] {
	t.Helper()
	q, err := scheduler.NewPriorityQueue(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

var (
	allLevels = []mailbox.Level{scheduler.Critical, scheduler.High, scheduler.Normal, scheduler.Low}
	never     time.Time
)

// forOrders runs f as a subtest for both orders within a level.
func forOrders(t *testing.T, f func(t *testing.T, earliestFirst bool)) {
	for _, earliestFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("edf=%v", earliestFirst), func(t *testing.T) { f(t, earliestFirst) })
	}
}

func TestPriorityConfig(t *testing.T) {
	for want, cfg := range map[string]scheduler.PriorityConfig[int]{
		"Capacity is -1; want 1 to 1048576, or 0 for 4096": {Capacity: -1},
		"Capacity is 2000000":                              {Capacity: 2_000_000},
		"MaxDelay is 1ns; want at least 1ms, or 0 for 1s":  {MaxDelay: 1},
		"MaxDelay is -1s; want at least 1ms, or 0 for 1s":  {MaxDelay: -time.Second},
	} {
		if _, err := scheduler.NewPriorityQueue(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", cfg, err, want)
		}
	}
}

// TestPriorityQueueShares: while every level has work they get 8, 4, 2 and 1 of 15.
func TestPriorityQueueShares(t *testing.T) {
	forOrders(t, func(t *testing.T, earliestFirst bool) {
		q := newPriorityQueue(t, scheduler.PriorityConfig[mailbox.Level]{EarliestDeadlineFirst: earliestFirst})
		for range 100 {
			for _, level := range allLevels {
				if err := q.TryEnqueue(level, level, never); err != nil {
					t.Fatal(err)
				}
			}
		}
		var got [4]int
		for range 150 {
			level, _ := q.TryDequeue()
			got[level]++
		}
		if want := [4]int{80, 40, 20, 10}; got != want {
			t.Errorf("shares of 150 are %v; want %v", got, want)
		}
		if n := q.Len(); n != 250 {
			t.Errorf("Len = %d; want 250", n)
		}
	})
}

// TestPriorityQueueStarvesNobody: however many Critical items come, a Low item waits for no more
// than a round, and a backlog of Low ones is through sooner than at the plain ratio.
func TestPriorityQueueStarvesNobody(t *testing.T) {
	forOrders(t, func(t *testing.T, earliestFirst bool) {
		const backlog = 2000
		q := newPriorityQueue(t, scheduler.PriorityConfig[mailbox.Level]{EarliestDeadlineFirst: earliestFirst})
		urgent := allLevels[:3]
		flood := func() {
			for _, level := range urgent {
				for q.TryEnqueue(level, level, never) == nil {
					continue
				}
			}
		}
		flood()
		for range backlog {
			if err := q.TryEnqueue(scheduler.Low, scheduler.Low, never); err != nil {
				t.Fatal(err)
			}
		}
		low, sinceLow, taken := 0, 0, 0
		for low < backlog {
			if taken%64 == 0 {
				flood()
			}
			level, _ := q.TryDequeue()
			taken++
			if sinceLow++; sinceLow > 15+15 { // one round, and the rest of another that had begun
				t.Fatalf("%d items since the last Low one", sinceLow)
			}
			if level == scheduler.Low {
				low++
				sinceLow = 0
			}
		}
		if plain := backlog * 15; taken > plain*2/3 {
			t.Errorf("the last of %d Low items was the %dth in all; want aging to make it well below %d", backlog, taken, plain)
		}
	})
}

// TestPriorityQueueOrder: by arrival, or by deadline and then by arrival.
func TestPriorityQueueOrder(t *testing.T) {
	forOrders(t, func(t *testing.T, earliestFirst bool) {
		q := newPriorityQueue(t, scheduler.PriorityConfig[string]{EarliestDeadlineFirst: earliestFirst, MaxDelay: time.Hour})
		soon := time.Now().Add(time.Minute)
		for _, item := range []struct {
			name     string
			deadline time.Time
		}{
			{"a", never}, {"b", soon.Add(time.Millisecond)}, {"c", soon}, {"d", never}, {"e", soon}, {"f", soon.Add(-time.Second)},
		} {
			if err := q.TryEnqueue(scheduler.Normal, item.name, item.deadline); err != nil {
				t.Fatal(err)
			}
		}
		want := "a b c d e f"
		if earliestFirst {
			want = "f c e b a d"
		}
		var got []string
		for v, ok := q.TryDequeue(); ok; v, ok = q.TryDequeue() {
			got = append(got, v)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("order %s; want %s", s, want)
		}
	})

	q := newPriorityQueue(t, scheduler.PriorityConfig[int]{EarliestDeadlineFirst: true, MaxDelay: time.Hour})
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	start := time.Now().Add(time.Minute)
	for range 1000 {
		n := rng.IntN(1000)
		if err := q.TryEnqueue(scheduler.High, n, start.Add(time.Duration(n)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	var got []int
	for v, ok := q.TryDequeue(); ok; v, ok = q.TryDequeue() {
		got = append(got, v)
	}
	if len(got) != 1000 || !slices.IsSorted(got) {
		t.Errorf("seed %d: %d items, sorted by deadline: %v", seed, len(got), slices.IsSorted(got))
	}
}

// TestPriorityQueueMaxDelay: with earliest deadline first, an item without a deadline is not put
// back for ever by ones with a deadline that keep coming.
func TestPriorityQueueMaxDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const maxDelay = 100 * time.Millisecond
		q := newPriorityQueue(t, scheduler.PriorityConfig[string]{EarliestDeadlineFirst: true, MaxDelay: maxDelay})
		enqueue := func(v string, deadline time.Time) {
			if err := q.TryEnqueue(scheduler.Normal, v, deadline); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		enqueue("patient", never)
		for {
			enqueue("hasty", time.Now().Add(20*time.Millisecond))
			v, _ := q.TryDequeue()
			if v == "patient" {
				break
			}
			time.Sleep(time.Millisecond)
			if time.Since(start) > 2*maxDelay {
				t.Fatal("the item without a deadline was put back for ever")
			}
		}
		if waited := time.Since(start); waited < maxDelay/2 {
			t.Errorf("the item without a deadline ran after %v, before more urgent ones", waited)
		}
	})
}

// TestPriorityQueueExpiry: an item is returned until its deadline; from then on it is dropped and
// reported, with everything the report promises.
func TestPriorityQueueExpiry(t *testing.T) {
	forOrders(t, func(t *testing.T, earliestFirst bool) {
		synctest.Test(t, func(t *testing.T) {
			var report []string
			begin := time.Now()
			q := newPriorityQueue(t, scheduler.PriorityConfig[string]{
				EarliestDeadlineFirst: earliestFirst,
				OnExpired: func(v string, deadline time.Time) {
					report = append(report, fmt.Sprintf("%s after %v", v, deadline.Sub(begin)))
				},
			})
			for i, v := range []string{"a", "b", "c"} {
				if err := q.TryEnqueue(scheduler.High, v, begin.Add(time.Duration(i+1)*time.Second)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second - 1)
			if v, ok := q.TryDequeue(); v != "a" || !ok {
				t.Errorf("just before its deadline: %q, %v; want a", v, ok)
			}
			time.Sleep(time.Second + 1)
			if v, ok := q.TryDequeue(); v != "c" || !ok {
				t.Errorf("at the deadline of b: %q, %v; want c", v, ok)
			}
			if _, ok := q.TryDequeue(); ok || q.Len() != 0 || q.Expired() != 1 {
				t.Errorf("at the end: %v, Len %d, Expired %d", ok, q.Len(), q.Expired())
			}
			if want := []string{"b after 2s"}; !slices.Equal(report, want) {
				t.Errorf("reported %q; want %q", report, want)
			}
		})
	})
}

// TestPriorityQueueIsBounded: a full level refuses, the others do not; sorting takes up as many
// again and no more.
func TestPriorityQueueIsBounded(t *testing.T) {
	forOrders(t, func(t *testing.T, earliestFirst bool) {
		q := newPriorityQueue(t, scheduler.PriorityConfig[int]{Capacity: 3, EarliestDeadlineFirst: earliestFirst})
		if q.Ready() {
			t.Error("an empty queue is ready")
		}
		fill := func() (n int) {
			for q.TryEnqueue(scheduler.Low, n, never) == nil {
				n++
			}
			return n
		}
		if n := fill(); n != 3 {
			t.Errorf("%d items fit; want 3", n)
		}
		if err := q.TryEnqueue(scheduler.Low, 0, never); err != mailbox.ErrFull {
			t.Errorf("error %v; want ErrFull", err)
		}
		if err := q.TryEnqueue(scheduler.High, 0, never); err != nil {
			t.Errorf("another level: %v", err)
		}
		if !q.Ready() {
			t.Error("a full queue is not ready")
		}
		want, most := 0, 4
		if earliestFirst {
			want, most = 3, 7
		}
		_, _ = q.TryDequeue() // the High one
		if n := fill(); n != want || q.Len() > most {
			t.Errorf("%d more items fit, Len %d; want %d, at most %d", n, q.Len(), want, most)
		}
		got := 0
		for _, ok := q.TryDequeue(); ok; _, ok = q.TryDequeue() {
			got++
		}
		if got != 3+want || q.Ready() {
			t.Errorf("%d items came out, Ready %v; want %d, false", got, q.Ready(), 3+want)
		}
	})
}

// TestPriorityQueueStress: with producers on all levels every accepted item is either returned or
// reported as expired, exactly once, and none is returned after its deadline.
func TestPriorityQueueStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for _, capacity := range []int{1, 5, 1000} {
				for _, earliestFirst := range []bool{false, true} {
					stressPriorityQueue(t, capacity, earliestFirst, rand.Uint64())
				}
			}
		})
	})
}

func stressPriorityQueue(t testing.TB, capacity int, earliestFirst bool, seed uint64) {
	t.Helper()
	const producers = 4
	items := 3000
	if testing.Short() {
		items = 300
	}
	type item struct {
		number   int
		deadline time.Time
	}
	seen := make([]int, producers*items) // the consumer's
	q := newPriorityQueue(t, scheduler.PriorityConfig[item]{
		Capacity: capacity, EarliestDeadlineFirst: earliestFirst, MaxDelay: time.Millisecond,
		OnExpired: func(v item, deadline time.Time) {
			seen[v.number]++
			if !deadline.Equal(v.deadline) || time.Now().Before(deadline) {
				t.Errorf("seed %d: expired with deadline %v; want %v", seed, deadline, v.deadline)
			}
		},
	})
	var wg sync.WaitGroup
	var producing atomic.Int32
	producing.Store(producers)
	for p := range producers {
		rng := rand.New(rand.NewPCG(seed, uint64(p)))
		wg.Go(func() {
			defer producing.Add(-1)
			for i := range items {
				v := item{number: p*items + i}
				if rng.IntN(2) == 0 {
					v.deadline = time.Now().Add(time.Duration(rng.IntN(200)) * time.Microsecond)
				}
				for q.TryEnqueue(allLevels[rng.IntN(4)], v, v.deadline) != nil {
					goruntime.Gosched() // full
				}
			}
		})
	}
	returned := 0
	for over := false; !over; {
		over = producing.Load() == 0 // before the last look
		for v, ok := q.TryDequeue(); ok; v, ok = q.TryDequeue() {
			seen[v.number]++
			returned++
		}
		goruntime.Gosched()
	}
	wg.Wait()
	for number, n := range seen {
		if n != 1 {
			t.Fatalf("seed %d, capacity %d, edf %v: item %d came out %d times", seed, capacity, earliestFirst, number, n)
		}
	}
	if n := returned + int(q.Expired()); n != len(seen) || q.Len() != 0 {
		t.Errorf("seed %d: %d returned and expired of %d, Len %d", seed, n, len(seen), q.Len())
	}
}

func TestPriorityQueueDoesNotAllocate(t *testing.T) {
	forOrders(t, func(t *testing.T, earliestFirst bool) {
		q := newPriorityQueue(t, scheduler.PriorityConfig[int]{EarliestDeadlineFirst: earliestFirst})
		deadline := time.Now().Add(time.Hour)
		n := testing.AllocsPerRun(1000, func() {
			for range 10 {
				_ = q.TryEnqueue(scheduler.Normal, 1, deadline)
			}
			for range 10 {
				_, _ = q.TryDequeue()
			}
		})
		if n != 0 {
			t.Errorf("%v allocations for ten items", n)
		}
	})
}

func ExamplePriorityQueue() {
	q, err := scheduler.NewPriorityQueue(scheduler.PriorityConfig[string]{
		OnExpired: func(v string, _ time.Time) { fmt.Println("too late:", v) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	_ = q.TryEnqueue(scheduler.Low, "report", time.Time{})
	_ = q.TryEnqueue(scheduler.High, "stale quote", now.Add(-time.Second))
	_ = q.TryEnqueue(scheduler.High, "quote", now.Add(time.Hour))
	for v, ok := q.TryDequeue(); ok; v, ok = q.TryDequeue() {
		fmt.Println(v)
	}
	// Output:
	// too late: stale quote
	// quote
	// report
}

// BenchmarkPriorityQueue is one item in and out, with 100 others waiting.
func BenchmarkPriorityQueue(b *testing.B) {
	run := func(name string, earliestFirst bool, deadline func(i int) time.Time) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			q := newPriorityQueue(b, scheduler.PriorityConfig[int]{EarliestDeadlineFirst: earliestFirst, MaxDelay: time.Hour})
			i := 0
			for range 100 {
				_ = q.TryEnqueue(scheduler.Normal, i, deadline(i))
				i++
			}
			for b.Loop() {
				_ = q.TryEnqueue(scheduler.Normal, i, deadline(i))
				_, _ = q.TryDequeue()
				i++
			}
		})
	}
	b.Run("impl=mailbox.Priority", func(b *testing.B) { // without deadlines
		b.ReportAllocs()
		q := mailbox.NewPriority[int](1024)
		for i := range 100 {
			_ = q.TryEnqueue(mailbox.Normal, i)
		}
		for b.Loop() {
			_ = q.TryEnqueue(mailbox.Normal, 1)
			_, _ = q.TryDequeue()
		}
	})
	later := time.Now().Add(24 * time.Hour)
	spread := func(i int) time.Time { return later.Add(-time.Duration(i*7919%1000) * time.Second) }
	run("order=arrival/deadline=none", false, func(int) time.Time { return never })
	run("order=arrival/deadline=some", false, spread)
	run("order=edf/deadline=some", true, spread)
}

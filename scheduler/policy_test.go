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

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

func newPolicy[T any](t testing.TB, name string, members, capacity int) scheduler.Policy[T] {
	t.Helper()
	p, err := scheduler.NewPolicy[T](name, members, capacity)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNewPolicyErrors(t *testing.T) {
	for _, c := range []struct {
		name              string
		members, capacity int
		want              string
	}{
		{"fastest", 1, 1, `unknown policy "fastest"; want one of hash, idle, least-loaded, round-robin`},
		{scheduler.PolicyHash, 0, 1, "policy hash: members is 0; want 1 to 65536"},
		{scheduler.PolicyIdle, 1, 0, "policy idle: capacity is 0; want 1 to 16777216"},
	} {
		if _, err := scheduler.NewPolicy[int](c.name, c.members, c.capacity); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewPolicy(%q, %d, %d): %v; want %q", c.name, c.members, c.capacity, err, c.want)
		}
	}
	if p := newPolicy[int](t, "", 3, 1); fmt.Sprintf("%T", p) != fmt.Sprintf("%T", newPolicy[int](t, scheduler.DefaultPolicy, 3, 1)) {
		t.Errorf("the empty name makes a %T", p)
	}
}

// forPolicies runs f as a subtest for each policy.
func forPolicies(t *testing.T, f func(t *testing.T, name string)) {
	for _, name := range scheduler.Policies() {
		t.Run("policy="+name, func(t *testing.T) { f(t, name) })
	}
}

// TestPolicyByHand: one member works its items off in order; ErrFull says that there is no room,
// and an idle member takes work again.
func TestPolicyByHand(t *testing.T) {
	forPolicies(t, func(t *testing.T, name string) {
		p := newPolicy[string](t, name, 1, 2)
		if m, item, err := p.Assign("a", 7, scheduler.Normal); m != 0 || item != "a" || err != nil {
			t.Fatalf("Assign = %d, %q, %v; want member 0 to start a", m, item, err)
		}
		for _, v := range []string{"b", "c"} {
			if m, _, err := p.Assign(v, 7, scheduler.Normal); m != -1 || err != nil {
				t.Fatalf("Assign(%q) = %d, %v; want it to wait", v, m, err)
			}
		}
		if m, _, err := p.Assign("d", 7, scheduler.Normal); m != -1 || err != mailbox.ErrFull {
			t.Fatalf("Assign = %d, %v; want ErrFull", m, err)
		}
		if idle, queued := p.Load(); idle != 0 || queued != 2 {
			t.Fatalf("Load = %d, %d; want 0 idle and 2 queued", idle, queued)
		}
		for _, want := range []string{"b", "c"} {
			if item, ok := p.Next(0); item != want || !ok {
				t.Fatalf("Next = %q, %v; want %q", item, ok, want)
			}
		}
		if item, ok := p.Next(0); ok {
			t.Fatalf("Next = %q with nothing queued", item)
		}
		if idle, queued := p.Load(); idle != 1 || queued != 0 {
			t.Fatalf("Load = %d, %d; want 1 idle and 0 queued", idle, queued)
		}
		if m, item, err := p.Assign("e", 7, scheduler.Normal); m != 0 || item != "e" || err != nil {
			t.Fatalf("Assign = %d, %q, %v; want member 0 to start e", m, item, err)
		}
	})
}

// TestPolicyStress: under contention every item that was assigned is done exactly once, no
// member has two at a time, and at rest all are idle and nothing waits.
func TestPolicyStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for _, name := range scheduler.Policies() {
				for _, members := range []int{1, 2, 50} {
					for _, capacity := range []int{1, 7, 10_000} {
						stressPolicy(t, name, members, capacity)
					}
				}
			}
		})
	})
}

func stressPolicy(t testing.TB, name string, members, capacity int) {
	t.Helper()
	const assigners = 4
	items := 3000
	if testing.Short() {
		items = 200
	}
	p := newPolicy[int](t, name, members, capacity)
	done := make([]atomic.Int32, assigners*items)
	work := make([]chan int, members)
	var workers, wg sync.WaitGroup
	for m := range members {
		work[m] = make(chan int, 1) // a member that is given a second item at a time has no room for it
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
			rng := rand.New(rand.NewPCG(uint64(a), 0))
			for i := range items {
				m, item, err := p.Assign(a*items+i, rng.Uint64(), scheduler.Normal)
				for err != nil {
					goruntime.Gosched() // full
					m, item, err = p.Assign(a*items+i, rng.Uint64(), scheduler.Normal)
				}
				if m < 0 {
					continue
				}
				select {
				case work[m] <- item:
				default:
					t.Errorf("%s: member %d was given a second item", name, m)
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
			t.Fatalf("%s, %d members, capacity %d: item %d was done %d times", name, members, capacity, i, n)
		}
	}
	if idle, queued := p.Load(); idle != members || queued != 0 {
		t.Errorf("%s: at rest %d of %d idle, %d queued", name, idle, members, queued)
	}
}

// assignAll assigns n items with the given keys to members that never finish, and returns how
// many each got, started or waiting.
func assignAll(t *testing.T, p scheduler.Policy[int], members, n int, key func(i int) uint64) []int {
	t.Helper()
	for i := range n {
		if _, _, err := p.Assign(i, key(i), scheduler.Normal); err != nil {
			t.Fatal(err)
		}
	}
	counts := make([]int, members)
	for m := range members {
		counts[m] = 1 // started
		for _, ok := p.Next(m); ok; _, ok = p.Next(m) {
			counts[m]++
		}
	}
	return counts
}

// TestRoundRobinPolicyIsFair: strict turns, whoever is busy; a full member is passed over.
func TestRoundRobinPolicyIsFair(t *testing.T) {
	p := newPolicy[int](t, scheduler.PolicyRoundRobin, 7, 100)
	for m, n := range assignAll(t, p, 7, 700, func(int) uint64 { return 0 }) {
		if n != 100 {
			t.Errorf("member %d got %d of 700 items; want 100", m, n)
		}
	}

	p = newPolicy[int](t, scheduler.PolicyRoundRobin, 3, 1)
	for i := range 6 { // all start one and one waits for each
		if _, _, err := p.Assign(i, 0, scheduler.Normal); err != nil {
			t.Fatal(err)
		}
	}
	if item, ok := p.Next(1); item != 4 || !ok {
		t.Fatalf("Next(1) = %d, %v; want 4", item, ok)
	}
	if _, _, err := p.Assign(6, 0, scheduler.Normal); err != nil { // member 0 has the turn and is full
		t.Fatalf("Assign with room at member 1 only: %v", err)
	}
	if item, ok := p.Next(1); item != 6 || !ok {
		t.Errorf("Next(1) = %d, %v; want 6", item, ok)
	}
}

// TestLeastLoadedPolicyIsFair: with two choices the longest of 50 queues is a few items above the
// mean, where one random choice gives some 30 more.
func TestLeastLoadedPolicyIsFair(t *testing.T) {
	const members, each = 50, 100
	seed := rand.Uint64()
	p := newPolicy[int](t, scheduler.PolicyLeastLoaded, members, 2*each)
	scheduler.SeedPolicy(p, rand.NewPCG(seed, 0))
	counts := assignAll(t, p, members, members*each, func(int) uint64 { return 0 })
	if most := slices.Max(counts); most > each+5 {
		t.Errorf("seed %d: the longest queue has %d items, the mean is %d", seed, most, each)
	}
}

// TestLeastLoadedPolicyUsesBoth: a full first choice falls back on the other.
func TestLeastLoadedPolicyUsesBoth(t *testing.T) {
	p := newPolicy[int](t, scheduler.PolicyLeastLoaded, 2, 1)
	for i := range 4 {
		if _, _, err := p.Assign(i, 0, scheduler.Normal); err != nil {
			t.Fatalf("item %d of 4: %v", i, err)
		}
	}
	if _, _, err := p.Assign(4, 0, scheduler.Normal); err != mailbox.ErrFull {
		t.Errorf("item 5 of 4: %v; want ErrFull", err)
	}
}

// TestHashPolicySpreadsKeys: consecutive keys, the usual kind, spread as evenly as random ones.
func TestHashPolicySpreadsKeys(t *testing.T) {
	const members, each = 50, 1000
	for _, stride := range []uint64{1, 64, 1 << 32, 50} {
		p := newPolicy[int](t, scheduler.PolicyHash, members, 2*each)
		counts := assignAll(t, p, members, members*each, func(i int) uint64 { return uint64(i) * stride })
		chi := 0.0
		for _, n := range counts {
			chi += float64((n-each)*(n-each)) / each
		}
		if chi > 95 { // 49 degrees of freedom: 85 at one in a thousand
			t.Errorf("keys of stride %d: chi squared %.0f", stride, chi)
		}
	}
}

// TestHashPolicyKeepsOrder: the items of a key are done in the order of their Assign calls, by one
// member, never two at a time, while several goroutines assign.
func TestHashPolicyKeepsOrder(t *testing.T) {
	const keys, members = 12, 5
	items := 5000
	if testing.Short() {
		items = 500
	}
	type step struct{ key, number int }
	p := newPolicy[step](t, scheduler.PolicyHash, members, 64)
	var next [keys]atomic.Int32
	var wg sync.WaitGroup
	work := func(m int, s step) { // a goroutine while the member is busy
		for ok := true; ok; s, ok = p.Next(m) {
			if !next[s.key].CompareAndSwap(int32(s.number), int32(s.number)+1) {
				t.Errorf("key %d: item %d where %d is next", s.key, s.number, next[s.key].Load())
			}
		}
	}
	for key := range keys {
		wg.Go(func() {
			for i := range items {
				m, s, err := p.Assign(step{key, i}, uint64(key), scheduler.Normal)
				for err != nil {
					goruntime.Gosched()
					m, s, err = p.Assign(step{key, i}, uint64(key), scheduler.Normal)
				}
				if m >= 0 {
					wg.Go(func() { work(m, s) })
				}
			}
		})
	}
	wg.Wait()
	for key := range next {
		if n := next[key].Load(); int(n) != items {
			t.Errorf("key %d: %d of %d items done", key, n, items)
		}
	}
}

func TestPolicyDoesNotAllocate(t *testing.T) {
	forPolicies(t, func(t *testing.T, name string) {
		p := newPolicy[int](t, name, 2, 8)
		for i := range 16 { // fills the queues once
			_, _, _ = p.Assign(i, uint64(i), scheduler.Normal)
		}
		for m := range 2 {
			for _, ok := p.Next(m); ok; _, ok = p.Next(m) {
				continue
			}
		}
		key := uint64(0)
		if n := testing.AllocsPerRun(1000, func() {
			key++
			if m, _, _ := p.Assign(1, key, scheduler.Normal); m >= 0 {
				p.Next(m)
			}
		}); n != 0 {
			t.Errorf("%v allocations for an item", n)
		}
	})
}

func ExampleNewPolicy() {
	p, err := scheduler.NewPolicy[string](scheduler.PolicyHash, 4, 16)
	if err != nil {
		fmt.Println(err)
		return
	}
	const order = 42 // the key: what belongs to this order happens in sequence
	member, item, err := p.Assign("charge", order, scheduler.Normal)
	fmt.Println("starts", item, member >= 0, err)
	waits, _, err := p.Assign("ship", order, scheduler.Normal)
	fmt.Println("ship waits", waits == -1, err)
	item, ok := p.Next(member)
	fmt.Println("then", item, ok)
	// Output:
	// starts charge true <nil>
	// ship waits true <nil>
	// then ship true
}

// BenchmarkPolicy is one dispatch, the whole way: assign and finish; to an idle member, and to
// members that are all busy, where the item waits and another one comes out.
func BenchmarkPolicy(b *testing.B) {
	for _, name := range scheduler.Policies() {
		b.Run("path=idle/policy="+name, func(b *testing.B) {
			b.ReportAllocs()
			p := newPolicy[int](b, name, 50, 1024)
			key := uint64(0)
			for b.Loop() {
				key++
				m, _, _ := p.Assign(1, key, scheduler.Normal)
				p.Next(m)
			}
		})
		b.Run("path=queue/policy="+name, func(b *testing.B) {
			b.ReportAllocs()
			const members = 50
			p := newPolicy[int](b, name, members, 1024)
			var last [members]int // the key that reaches each member
			for key := 1; slices.Contains(last[:], 0); key++ {
				if m, _, _ := p.Assign(1, uint64(key), scheduler.Normal); m >= 0 {
					last[m] = key
				}
			}
			m := 0
			for b.Loop() {
				_, _, _ = p.Assign(1, uint64(last[m]), scheduler.Normal)
				p.Next(m)
				m = (m + 1) % members
			}
		})
	}
}

package scheduler_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// completions is a heap of the moments at which busy members finish.
type completions []completion

type completion struct {
	at     time.Duration
	member int
}

func (c *completions) push(at time.Duration, member int) {
	h := append(*c, completion{at, member})
	for i := len(h) - 1; i > 0 && h[i].at < h[(i-1)/2].at; i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
	*c = h
}

func (c *completions) pop() completion {
	h := *c
	first := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < last && h[child+1].at < h[child].at {
			child++
		}
		if child >= last || h[i].at <= h[child].at {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	*c = h
	return first
}

// serviceTimes are distributions with a mean of one second.
var serviceTimes = []struct {
	name string
	draw func(rng *rand.Rand) time.Duration
}{
	{"exponential", func(rng *rand.Rand) time.Duration {
		return time.Duration(rng.ExpFloat64() * float64(time.Second))
	}},
	{"bimodal", func(rng *rand.Rand) time.Duration { // one in a hundred is a hundred times as long
		if rng.IntN(100) == 0 {
			return 50500 * time.Millisecond
		}
		return 500 * time.Millisecond
	}},
	{"pareto", func(rng *rand.Rand) time.Duration { // exponent 1.5, cut off at 1,000 times the least
		const shape, cut = 1.5, 1000
		least := float64(time.Second) / paretoMean(shape, cut)
		u := rng.Float64() * (1 - math.Pow(cut, -shape))
		return time.Duration(least * math.Pow(1-u, -1/shape))
	}},
}

// paretoMean is the mean of a Pareto distribution from 1 to cut.
func paretoMean(shape, cut float64) float64 {
	return shape / (shape - 1) * (1 - math.Pow(cut, 1-shape)) / (1 - math.Pow(cut, -shape))
}

// dispatch is a simulation of a pool of members under a policy: jobs arrive at random, wait and
// are worked on, by a virtual clock. The policy is the real one.
type dispatch struct {
	policy  string
	members int
	load    float64 // of what the members can do, below 1
	jobs    int
	seed    uint64
	service func(*rand.Rand) time.Duration
}

type job struct {
	arrived time.Duration
	service time.Duration
}

// simulate returns how long each job waited, in the order of their starts, without the first
// tenth, while the queues are still filling, and how many each member did. The same seed gives
// every policy the same jobs.
func (d dispatch) simulate(tb testing.TB) (waits []time.Duration, done []int) {
	tb.Helper()
	p := newPolicy[job](tb, d.policy, d.members, 1<<14)
	scheduler.SeedPolicy(p, rand.NewPCG(d.seed, 1))
	rng := rand.New(rand.NewPCG(d.seed, 0))
	gap := float64(time.Second) / (d.load * float64(d.members))
	waits, done = make([]time.Duration, 0, d.jobs), make([]int, d.members)
	var busy completions
	start := func(now time.Duration, member int, j job) {
		done[member]++
		waits = append(waits, now-j.arrived)
		busy.push(now+j.service, member)
	}
	finish := func() {
		c := busy.pop()
		if j, ok := p.Next(c.member); ok {
			start(c.at, c.member, j)
		}
	}
	var now time.Duration
	for range d.jobs {
		now += time.Duration(rng.ExpFloat64() * gap)
		for len(busy) > 0 && busy[0].at <= now {
			finish()
		}
		member, j, err := p.Assign(job{now, d.service(rng)}, rng.Uint64(), scheduler.Normal)
		if err != nil {
			tb.Fatalf("%+v: %v", d, err)
		}
		if member >= 0 {
			start(now, member, j)
		}
	}
	for len(busy) > 0 {
		finish()
	}
	if len(waits) != d.jobs {
		tb.Fatalf("%+v: %d of %d jobs were started", d, len(waits), d.jobs)
	}
	return waits[d.jobs/10:], done
}

// waitFigures are in mean service times.
type waitFigures struct{ mean, p99, p999 float64 }

func (d dispatch) run(tb testing.TB) waitFigures {
	tb.Helper()
	waits, _ := d.simulate(tb)
	slices.Sort(waits)
	sum := 0.0
	for _, w := range waits {
		sum += w.Seconds()
	}
	at := func(q float64) float64 { return waits[int(q*float64(len(waits)-1))].Seconds() }
	return waitFigures{sum / float64(len(waits)), at(0.99), at(0.999)}
}

// TestDispatchSimulation holds the simulation against queueing theory, so that its figures can
// be believed: with exponential service times a shared queue is Erlang's formula, and one
// queue a member with random arrivals is load / (1 - load).
func TestDispatchSimulation(t *testing.T) {
	const members, load = 16, 0.8
	d := dispatch{members: members, load: load, jobs: 200_000, seed: 1, service: serviceTimes[0].draw}
	if testing.Short() {
		d.jobs = 50_000
	}
	for policy, want := range map[string]float64{
		scheduler.PolicyIdle: erlangWait(members, load),
		scheduler.PolicyHash: load / (1 - load),
	} {
		d.policy = policy
		if got := d.run(t).mean; math.Abs(got-want) > 0.15*want {
			t.Errorf("policy %s: mean wait %.3f service times; theory says %.3f", policy, got, want)
		}
	}
}

// erlangWait is the mean wait in a queue that n servers share, in service times.
func erlangWait(n int, load float64) float64 {
	offered := load * float64(n)
	blocked := 1.0 // Erlang B, by recursion on the number of servers
	for i := 1; i <= n; i++ {
		blocked = offered * blocked / (float64(i) + offered*blocked)
	}
	waits := blocked / (1 - load*(1-blocked)) // Erlang C
	return waits / (float64(n) * (1 - load))
}

// TestPolicyWaits: the reason for the default. When few jobs are long, nothing waits for them
// under PolicyIdle; under the policies that choose a member first, many jobs do.
func TestPolicyWaits(t *testing.T) {
	d := dispatch{members: 16, load: 0.8, jobs: 100_000, seed: 2, service: serviceTimes[1].draw}
	if testing.Short() {
		d.jobs = 30_000
	}
	figures := make(map[string]waitFigures)
	for _, d.policy = range scheduler.Policies() {
		figures[d.policy] = d.run(t)
	}
	idle, least, turns := figures[scheduler.PolicyIdle], figures[scheduler.PolicyLeastLoaded], figures[scheduler.PolicyRoundRobin]
	if turns.mean < 10*idle.mean || turns.p999 < 2*idle.p999 || least.mean < 2*idle.mean || least.mean > turns.mean/2 {
		t.Errorf("waits in service times: %+v", figures)
	}
}

// TestPolicyIsFair: every policy gives every member its share of the jobs, to within a tenth.
func TestPolicyIsFair(t *testing.T) {
	const jobs, members = 32_000, 16
	forPolicies(t, func(t *testing.T, name string) {
		for _, load := range []float64{0.5, 0.95} {
			d := dispatch{policy: name, members: members, load: load, jobs: jobs, seed: 4, service: serviceTimes[0].draw}
			_, done := d.simulate(t)
			for member, n := range done {
				if math.Abs(float64(n-jobs/members)) > jobs/members/10 {
					t.Errorf("load %v: member %d did %d jobs; its share is %d", load, member, n, jobs/members)
				}
			}
		}
	})
}

// BenchmarkPolicyWait simulates a pool of 16 members and reports waits in mean service times.
// Its time per operation is that of a whole simulation.
func BenchmarkPolicyWait(b *testing.B) {
	for _, service := range serviceTimes {
		for _, load := range []float64{0.5, 0.8, 0.95} {
			for _, name := range scheduler.Policies() {
				b.Run(fmt.Sprintf("dist=%s/load=%.0f/policy=%s", service.name, 100*load, name), func(b *testing.B) {
					var f waitFigures
					for b.Loop() {
						f = dispatch{policy: name, members: 16, load: load, jobs: 400_000, seed: 3, service: service.draw}.run(b)
					}
					b.ReportMetric(f.mean, "mean-wait")
					b.ReportMetric(f.p99, "p99-wait")
					b.ReportMetric(f.p999, "p99.9-wait")
				})
			}
		}
	}
}

package mailbox_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/ringmill/ringmill/mailbox"
)

// An operation of a history. An enqueue is written down as two, claim and publish, each within the time of the call.
type input struct {
	op   string // claim, publish, dequeue, drain, close
	vs   []int  // claim: offered; publish: claimed
	room int    // drain: len(dst)
}

type output struct {
	taken []int // dequeue, drain: what came; claim: what was accepted
	err   error // claim
}

// state is the specification's queue. Its entries are claimed, and published or not yet.
type state struct {
	entries []entry
	closed  bool
}

type entry struct {
	value     int
	published bool
}

// contract is what MPSC promises, as a sequential specification:
//
//   - a claim takes exactly what fits and says ErrFull if that is not all, or says ErrClosed once closed;
//   - a publish makes its entries visible, all at once;
//   - a dequeue takes the oldest entry if it is published, and answers "nothing ready" only if it is not or there is none.
func contract(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state{} },
		Step: func(st, in, out any) (bool, any) {
			return step(capacity, st.(state), in.(input), out.(output))
		},
		Equal: func(a, b any) bool {
			return a.(state).closed == b.(state).closed && slices.Equal(a.(state).entries, b.(state).entries)
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
	}
}

func step(capacity int, s state, in input, out output) (bool, state) {
	switch in.op {
	case "close":
		s.closed = true
		return true, s
	case "claim":
		if s.closed {
			return errors.Is(out.err, mailbox.ErrClosed) && len(out.taken) == 0, s
		}
		fit := min(len(in.vs), capacity-len(s.entries))
		if len(out.taken) != fit || errors.Is(out.err, mailbox.ErrFull) != (fit < len(in.vs)) {
			return false, s
		}
		s.entries = slices.Clone(s.entries)
		for _, v := range out.taken {
			s.entries = append(s.entries, entry{value: v})
		}
		return true, s
	case "publish":
		first := slices.Index(s.entries, entry{value: in.vs[0]})
		if first < 0 {
			return false, s
		}
		s.entries = slices.Clone(s.entries)
		for i := range in.vs {
			s.entries[first+i].published = true
		}
		return true, s
	default: // dequeue, drain
		if len(out.taken) == 0 {
			return len(s.entries) == 0 || !s.entries[0].published, s
		}
		if len(out.taken) > len(s.entries) {
			return false, s
		}
		for i, v := range out.taken {
			if s.entries[i] != (entry{v, true}) {
				return false, s
			}
		}
		s.entries = s.entries[len(out.taken):]
		return true, s
	}
}

// strict turns a history into one of the textbook queue, in which an enqueue is a single operation: only its claim stays,
// and what is claimed is published.
func strict(capacity int, history []porcupine.Operation) (porcupine.Model, []porcupine.Operation) {
	m := contract(capacity)
	m.Step = func(st, in, out any) (bool, any) {
		ok, s := step(capacity, st.(state), in.(input), out.(output))
		if ok && in.(input).op == "claim" && len(out.(output).taken) > 0 {
			return step(capacity, s, input{op: "publish", vs: out.(output).taken}, output{})
		}
		return ok, s
	}
	return m, slices.DeleteFunc(slices.Clone(history), func(o porcupine.Operation) bool { return o.Input.(input).op == "publish" })
}

// recorder writes a history down. Its clock is a counter, so that no two events have the same time.
type recorder struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (r *recorder) add(client int, call int64, in input, out output) {
	ret := r.clock.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ret})
}

// enqueue offers vs to m. With stall it lets others run between the claim and the publishing, as the operating system
// does now and then.
func (r *recorder) enqueue(m *mailbox.MPSC[int], client int, vs []int, stall bool) {
	call := r.clock.Add(1)
	n, err := len(vs), error(nil)
	if stall {
		publish := mailbox.Claim(m, vs...)
		if publish == nil {
			return // did not fit: TryEnqueueBatch answers that
		}
		for range 3 {
			yield()
		}
		publish()
	} else if len(vs) == 1 {
		if err = m.TryEnqueue(vs[0]); err != nil {
			n = 0
		}
	} else {
		n, err = m.TryEnqueueBatch(vs)
	}
	if n > 0 {
		r.add(client, call, input{op: "publish", vs: vs[:n]}, output{})
	}
	r.add(client, call, input{op: "claim", vs: vs}, output{taken: vs[:n], err: err})
}

func (r *recorder) dequeue(m *mailbox.MPSC[int], client, room int) {
	call := r.clock.Add(1)
	if room == 1 {
		var taken []int
		if v, ok := m.TryDequeue(); ok {
			taken = []int{v}
		}
		r.add(client, call, input{op: "dequeue", room: 1}, output{taken: taken})
		return
	}
	dst := make([]int, room)
	n := m.Drain(dst)
	r.add(client, call, input{op: "drain", room: room}, output{taken: dst[:n]})
}

// history runs two producers with singles and batches and a consumer at a small mailbox, and Close in some runs. With
// stalls some producers stop between claim and publish.
func history(rnd *rand.Rand, capacity int, stalls bool) []porcupine.Operation {
	const producers, calls = 2, 4
	m := mailbox.NewMPSC[int](capacity)
	r := new(recorder)
	var wg sync.WaitGroup
	for p := range producers {
		pr := rand.New(rand.NewPCG(rnd.Uint64(), 0))
		wg.Go(func() {
			for c := range calls {
				vs := make([]int, 1+pr.IntN(3))
				for i := range vs {
					vs[i] = p*100 + c*10 + i + 1
				}
				r.enqueue(m, p, vs, stalls && pr.IntN(4) == 0)
			}
		})
	}
	cr := rand.New(rand.NewPCG(rnd.Uint64(), 0))
	wg.Go(func() {
		for range 2 * calls {
			r.dequeue(m, producers, 1+cr.IntN(3))
			if cr.IntN(3) == 0 {
				yield()
			}
		}
	})
	if rnd.IntN(4) == 0 {
		wg.Go(func() {
			yield()
			call := r.clock.Add(1)
			m.Close()
			r.add(producers+1, call, input{op: "close"}, output{})
		})
	}
	wg.Wait()
	return r.ops
}

// TestStressLinearizable: histories of concurrent single and batch enqueues, dequeues, drains and Close are linearizable
// against the contract, with the exact capacity, whether or not producers stall between claim and publish.
//
// The log also tells how many of them the textbook queue would reject, in which an enqueue is one operation. Those are the
// histories in which a later enqueue has returned while an earlier claim is unpublished, and a dequeue answers "nothing
// ready". No bounded ring that claims before it publishes passes that model.
func TestStressLinearizable(t *testing.T) {
	procs := []int{1, 2, 4}
	for _, stalls := range []bool{false, true} {
		for _, n := range procs {
			t.Run(fmt.Sprintf("stalls=%t/procs=%d", stalls, n), func(t *testing.T) {
				withProcs(t, n)
				checkHistories(t, stalls, stressTime(t, 2*len(procs)))
			})
		}
	}
}

// checkHistories checks at least 200 histories, and as many as d has time for.
func checkHistories(t *testing.T, stalls bool, d time.Duration) {
	rnd := newRand(t)
	histories, strictFails := 0, 0
	for end := time.Now().Add(d); histories < 200 || time.Now().Before(end); histories++ {
		capacity := 1 + rnd.IntN(5)
		ops := history(rnd, capacity, stalls)
		if porcupine.CheckOperationsTimeout(contract(capacity), ops, 10*time.Second) != porcupine.Ok {
			for _, o := range ops {
				t.Logf("[%d, %d] client %d: %+v -> %+v", o.Call, o.Return, o.ClientId, o.Input, o.Output)
			}
			t.Fatalf("history %d, capacity %d: not linearizable", histories, capacity)
		}
		if !porcupine.CheckOperations(strict(capacity, ops)) {
			strictFails++
		}
	}
	t.Logf("%d of %d histories are linearizable; the textbook queue rejects %d", histories, histories, strictFails)
}

// TestStalledProducer: a message behind a claimed but unpublished one is hidden until that is published; meanwhile the
// consumer is answered at once, nothing is lost, and the mailbox is not drained. This history is the one that the
// contract accepts and the textbook queue rejects.
func TestStalledProducer(t *testing.T) {
	const capacity = 4
	m := mailbox.NewMPSC[int](capacity)
	publish := mailbox.Claim(m, 1, 2)
	if err := m.TryEnqueue(3); err != nil {
		t.Fatal(err)
	}
	if v, ok := m.TryDequeue(); ok || m.Drain(make([]int, 4)) != 0 || m.Ready() {
		t.Fatalf("TryDequeue = %d, %t, or Drain or Ready found something behind the unpublished slot", v, ok)
	}
	if m.Len() != 3 {
		t.Fatalf("Len = %d, want 3: claimed places count", m.Len())
	}
	m.Close()
	if m.Drained() {
		t.Fatal("Drained with an unpublished message")
	}
	publish()
	dst := make([]int, 4)
	if n := m.Drain(dst); !slices.Equal(dst[:n], []int{1, 2, 3}) || !m.Drained() {
		t.Fatalf("Drain = %v, Drained %t", dst[:n], m.Drained())
	}

	history := []porcupine.Operation{
		{ClientId: 0, Call: 1, Return: 8, Input: input{op: "claim", vs: []int{1, 2}}, Output: output{taken: []int{1, 2}}},
		{ClientId: 0, Call: 1, Return: 8, Input: input{op: "publish", vs: []int{1, 2}}, Output: output{}},
		{ClientId: 1, Call: 2, Return: 3, Input: input{op: "claim", vs: []int{3}}, Output: output{taken: []int{3}}},
		{ClientId: 1, Call: 2, Return: 3, Input: input{op: "publish", vs: []int{3}}, Output: output{}},
		{ClientId: 2, Call: 4, Return: 5, Input: input{op: "dequeue", room: 1}, Output: output{}},
		{ClientId: 2, Call: 9, Return: 10, Input: input{op: "drain", room: 4}, Output: output{taken: []int{1, 2, 3}}},
	}
	if !porcupine.CheckOperations(contract(capacity), history) {
		t.Error("the contract rejects the history")
	}
	if porcupine.CheckOperations(strict(capacity, history)) {
		t.Error("the textbook queue accepts the history")
	}
}

package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/ringmill/ringmill/mailbox"
)

func fill(t *testing.T, m *mailbox.Mailbox[int]) {
	t.Helper()
	for i := range m.Cap() {
		if err := m.TryEnqueue(i); err != nil {
			t.Fatal(err)
		}
	}
}

func contents(t *testing.T, m *mailbox.Mailbox[int]) []int {
	t.Helper()
	dst := make([]int, m.Cap()+1)
	n, err := m.DequeueBatch(context.Background(), dst)
	if err != nil {
		t.Fatal(err)
	}
	return dst[:n]
}

func TestOverflow(t *testing.T) {
	tests := []struct {
		name     string
		overflow mailbox.Overflow
		err      error
		left     []int
		dropped  []int
		stats    mailbox.Stats
	}{
		{"fail", mailbox.Fail, mailbox.ErrFull, []int{0, 1, 2}, nil, mailbox.Stats{Refused: 1}},
		{"wait", mailbox.Wait, mailbox.ErrFull, []int{0, 1, 2}, nil, mailbox.Stats{Refused: 1}},
		{"drop newest", mailbox.DropNewest, nil, []int{0, 1, 2}, []int{9}, mailbox.Stats{Dropped: 1}},
		{"drop oldest", mailbox.DropOldest, nil, []int{1, 2, 9}, []int{0}, mailbox.Stats{Dropped: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var dropped []int
			m := mailbox.New(mailbox.Config[int]{Capacity: 3, Overflow: tt.overflow, OnDrop: func(v int) { dropped = append(dropped, v) }})
			fill(t, m)
			if err := m.TryEnqueue(9); !errors.Is(err, tt.err) {
				t.Errorf("TryEnqueue = %v, want %v", err, tt.err)
			}
			if got := contents(t, m); !slices.Equal(got, tt.left) {
				t.Errorf("left %v, want %v", got, tt.left)
			}
			if !slices.Equal(dropped, tt.dropped) {
				t.Errorf("dropped %v, want %v", dropped, tt.dropped)
			}
			if m.Stats() != tt.stats {
				t.Errorf("Stats = %+v, want %+v", m.Stats(), tt.stats)
			}
		})
	}
}

// TestDropOldestBehindStalledProducer: the oldest message is still being written, so it cannot be dropped; the new one is,
// at once.
func TestDropOldestBehindStalledProducer(t *testing.T) {
	var dropped []int
	m := mailbox.New(mailbox.Config[int]{Capacity: 2, Overflow: mailbox.DropOldest, OnDrop: func(v int) { dropped = append(dropped, v) }})
	publish := mailbox.ClaimIn(m, 1)
	for _, v := range []int{2, 3} {
		if err := m.TryEnqueue(v); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	if got := contents(t, m); !slices.Equal(got, []int{1, 2}) || !slices.Equal(dropped, []int{3}) {
		t.Fatalf("left %v, dropped %v", got, dropped)
	}
}

// TestRoomMadeMeanwhile: nothing is dropped if the consumer has made room after the sender found the mailbox full.
func TestRoomMadeMeanwhile(t *testing.T) {
	var dropped []int
	m := mailbox.New(mailbox.Config[int]{Capacity: 2, Overflow: mailbox.DropOldest, OnDrop: func(v int) { dropped = append(dropped, v) }})
	if err := m.TryEnqueue(1); err != nil {
		t.Fatal(err)
	}
	if err := mailbox.ReplaceOldest(m, 2); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, m); !slices.Equal(got, []int{1, 2}) || dropped != nil {
		t.Fatalf("left %v, dropped %v", got, dropped)
	}
}

// TestCloseInOnDrop: the new message is in before the dropped one is shown, so a Close at that moment does not refuse it.
// After Close nothing is dropped.
func TestCloseInOnDrop(t *testing.T) {
	var m *mailbox.Mailbox[int]
	var dropped []int
	m = mailbox.New(mailbox.Config[int]{Capacity: 2, Overflow: mailbox.DropOldest, OnDrop: func(v int) {
		dropped = append(dropped, v)
		m.Close()
	}})
	fill(t, m)
	if err := m.TryEnqueue(2); err != nil {
		t.Errorf("TryEnqueue = %v with %v dropped for it", err, dropped)
	}
	if err := mailbox.ReplaceOldest(m, 3); !errors.Is(err, mailbox.ErrClosed) {
		t.Errorf("after Close a sender that found the mailbox full before is answered %v, want ErrClosed", err)
	}
	if got := contents(t, m); !slices.Equal(got, []int{1, 2}) || !slices.Equal(dropped, []int{0}) {
		t.Errorf("left %v, dropped %v", got, dropped)
	}
}

// TestStressDropOldestClose: Close never comes between the drop of the oldest message and the enqueue of the new one: a sender
// that is answered ErrClosed has discarded nothing.
func TestStressDropOldestClose(t *testing.T) {
	procs := []int{2, 4} // on one processor nothing comes in between
	for _, n := range procs {
		t.Run(fmt.Sprintf("procs=%d", n), func(t *testing.T) {
			withProcs(t, n)
			r := newRand(t)
			rounds := 0
			for end := time.Now().Add(stressTime(t, len(procs))); time.Now().Before(end); rounds++ {
				dropOldestCloseRound(t, r)
			}
			t.Logf("%d rounds", rounds)
		})
	}
}

func dropOldestCloseRound(t *testing.T, r *rand.Rand) {
	m := mailbox.New(mailbox.Config[int]{Capacity: 1, Overflow: mailbox.DropOldest})
	pause := r.IntN(16)
	var closer sync.WaitGroup
	closer.Go(func() {
		for range pause {
			yield()
		}
		m.Close()
	})
	accepted := uint64(0)
	for ; m.TryEnqueue(1) == nil; accepted++ {
		if accepted%64 == 0 {
			yield()
		}
	}
	closer.Wait()
	if left := uint64(m.Len()); m.Stats().Dropped+left != accepted || left != min(accepted, 1) {
		t.Fatalf("of %d accepted messages %d were dropped and %d are left", accepted, m.Stats().Dropped, left)
	}
}

func TestDefaultsAndBadConfig(t *testing.T) {
	if m := mailbox.New(mailbox.Config[int]{}); m.Cap() != mailbox.DefaultCapacity {
		t.Errorf("Cap = %d, want %d", m.Cap(), mailbox.DefaultCapacity)
	}
	for _, bad := range []mailbox.Config[int]{{Capacity: -1}, {Overflow: 4}, {Wait: 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%+v) did not panic", bad)
				}
			}()
			mailbox.New(bad)
		}()
	}
}

func eachStrategy(t *testing.T, test func(t *testing.T, wait mailbox.WaitStrategy)) {
	t.Run("wait=park", func(t *testing.T) { test(t, mailbox.Park) })
	t.Run("wait=poll", func(t *testing.T) { test(t, mailbox.BusyPoll) })
}

func TestDequeueEnds(t *testing.T) {
	eachStrategy(t, func(t *testing.T, wait mailbox.WaitStrategy) {
		ctx, cancel := context.WithCancel(t.Context())
		m := mailbox.New(mailbox.Config[int]{Wait: wait})
		results := make(chan error)
		receive := func() { _, err := m.Dequeue(ctx); results <- err }

		go receive()
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("Dequeue after cancel = %v, want context.Canceled", err)
		}
		ctx = t.Context()
		if err := m.TryEnqueue(1); err != nil {
			t.Fatal(err)
		}
		m.Close()
		go receive()
		if err := <-results; err != nil {
			t.Errorf("Dequeue of a closed mailbox with a message = %v", err)
		}
		go receive()
		if err := <-results; !errors.Is(err, mailbox.ErrClosed) {
			t.Errorf("Dequeue of a closed, empty mailbox = %v, want ErrClosed", err)
		}
	})
}

// TestParkedConsumer: a sleeping consumer is durably blocked, so an idle mailbox runs nothing; a message, Close and the end of
// the context each wake it, once, whether it sleeps before the first message, without a ring, or after it.
func TestParkedConsumer(t *testing.T) {
	wakes := map[string]struct {
		wake func(*mailbox.Mailbox[int], context.CancelFunc)
		want error
	}{
		"message": {func(m *mailbox.Mailbox[int], _ context.CancelFunc) { _ = m.TryEnqueue(1) }, nil},
		"batch":   {func(m *mailbox.Mailbox[int], _ context.CancelFunc) { _, _ = m.TryEnqueueBatch([]int{1, 2}) }, nil},
		"close":   {func(m *mailbox.Mailbox[int], _ context.CancelFunc) { m.Close() }, mailbox.ErrClosed},
		"cancel":  {func(_ *mailbox.Mailbox[int], cancel context.CancelFunc) { cancel() }, context.Canceled},
	}
	for name, tt := range wakes {
		for _, before := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s/before=%d", name, before), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					m := mailbox.New(mailbox.Config[int]{})
					for range before {
						_ = m.TryEnqueue(0)
						contents(t, m)
					}
					done := false
					var err error
					go func() {
						_, err = m.Dequeue(ctx)
						done = true
					}()
					synctest.Wait()
					if done {
						t.Fatalf("Dequeue of an empty mailbox returned %v", err)
					}
					if hasRing := mailbox.HasRing(m); hasRing != (before > 0) {
						t.Errorf("the mailbox has a ring: %t, after %d messages", hasRing, before)
					}
					tt.wake(m, cancel)
					synctest.Wait()
					if !done || !errors.Is(err, tt.want) {
						t.Fatalf("Dequeue returned %t, %v, want %v", done, err, tt.want)
					}
				})
			})
		}
	}
}

// TestStressFirstMessage: the mark of a consumer that sleeps before there is a ring is neither lost nor seen twice when the
// ring is made, the consumer gives up and Close comes, all at once. A lost wake-up shows as a hang, a second token too.
func TestStressFirstMessage(t *testing.T) {
	stressRounds(t, firstMessageRound)
}

func firstMessageRound(t *testing.T, r *rand.Rand) {
	const senders = 2
	m := mailbox.New(mailbox.Config[int]{Capacity: 1 + r.IntN(3)})
	ctx, giveUp := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var accepted atomic.Int64
	later := func(f func()) { // after a random pause
		pause := r.IntN(6)
		wg.Go(func() {
			for range pause {
				yield()
			}
			f()
		})
	}
	for range senders {
		later(func() {
			if m.TryEnqueue(1) == nil {
				accepted.Add(1)
			}
		})
	}
	if r.IntN(2) == 0 {
		later(giveUp)
	}
	early := r.IntN(2) == 0
	if early {
		later(m.Close)
	}
	received := make(chan int)
	go func() {
		n := 0
		for own := ctx; ; {
			switch _, err := m.Dequeue(own); {
			case err == nil:
				n++
			case errors.Is(err, mailbox.ErrClosed):
				received <- n
				return
			default:
				own = context.Background() // gave up once
			}
		}
	}()
	wg.Wait()
	if !early {
		m.Close()
	}
	if got := <-received; int64(got) != accepted.Load() {
		t.Fatalf("received %d of %d messages", got, accepted.Load())
	}
	giveUp()
}

// TestParkedBehindStalledProducer: only the producer of the message at the head wakes the consumer.
func TestParkedBehindStalledProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mailbox.New(mailbox.Config[int]{Overflow: mailbox.Wait})
		var woken bool
		var first int
		go func() {
			first, _ = m.Dequeue(t.Context())
			woken = true
		}()
		synctest.Wait()
		publish := mailbox.ClaimIn(m, 1)
		if err := m.TryEnqueue(2); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if woken {
			t.Fatal("woken by a message behind an unpublished one")
		}
		m.Close() // wakes it, but the mailbox is not drained: it must sleep again
		synctest.Wait()
		if woken {
			t.Fatal("Dequeue returned before the claimed message was published")
		}
		publish()
		synctest.Wait()
		if !woken || first != 1 {
			t.Fatalf("Dequeue returned %t, %d, want message 1", woken, first)
		}
	})
}

// TestWaitingSenders: senders of a full mailbox wait and are served in the order of their arrival; those whose context ends
// or whom Close meets are answered so and take no place.
func TestWaitingSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mailbox.New(mailbox.Config[int]{Capacity: 1, Overflow: mailbox.Wait})
		fill(t, m)
		ctx, cancel := context.WithCancel(t.Context())
		errs := make([]error, 5)
		for i := 1; i < len(errs); i++ {
			go func() {
				own := t.Context()
				if i == 2 {
					own = ctx
				}
				errs[i] = m.Enqueue(own, i)
			}()
			synctest.Wait()
		}
		cancel()
		for _, want := range []int{0, 1, 3} {
			synctest.Wait()
			if v, err := m.Dequeue(t.Context()); v != want || err != nil {
				t.Fatalf("Dequeue = %d, %v, want %d", v, err, want)
			}
		}
		synctest.Wait()
		go func() { errs[0] = m.Enqueue(t.Context(), 5) }()
		synctest.Wait()
		m.Close()
		synctest.Wait()
		want := []error{mailbox.ErrClosed, nil, context.Canceled, nil, nil}
		if !slices.EqualFunc(errs, want, errors.Is) {
			t.Errorf("answers %v, want %v", errs, want)
		}
		if v, err := m.Dequeue(t.Context()); v != 4 || err != nil {
			t.Errorf("last Dequeue = %d, %v, want 4", v, err)
		}
		if m.Stats() != (mailbox.Stats{Waited: 5}) {
			t.Errorf("Stats = %+v", m.Stats())
		}
	})
}

// TestWaitingRetainsNothing: what waited, was served or given up, is not kept alive by the list of waiters.
func TestWaitingRetainsNothing(t *testing.T) {
	m := mailbox.New(mailbox.Config[*[64]byte]{Capacity: 1, Overflow: mailbox.Wait})
	var sent []weak.Pointer[[64]byte]
	fresh := func() *[64]byte {
		v := new([64]byte)
		sent = append(sent, weak.Make(v))
		return v
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_ = m.TryEnqueue(fresh())
	if err := m.Enqueue(ended, fresh()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n, err := m.EnqueueBatch(ended, []*[64]byte{fresh(), fresh()}); n != 0 || !errors.Is(err, context.Canceled) {
		t.Fatal(n, err)
	}
	batch := []*[64]byte{fresh(), fresh(), fresh()}
	var sender sync.WaitGroup
	sender.Go(func() { _, _ = m.EnqueueBatch(t.Context(), batch) })
	for range 4 {
		if _, err := m.Dequeue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sender.Wait()
	goruntime.GC()
	for i, p := range sent {
		if p.Value() != nil {
			t.Errorf("message %d of %d is kept alive", i, len(sent))
		}
	}
	goruntime.KeepAlive(m)
}

// TestSpareWaitersAreBounded: what a crowd of waiting senders leaves behind is bounded, and is used again.
func TestSpareWaitersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const senders = mailbox.MaxSpareWaiters + 8
		m := mailbox.New(mailbox.Config[int]{Capacity: 1, Overflow: mailbox.Wait})
		fill(t, m)
		ctx, giveUp := context.WithCancel(t.Context())
		wait := func(n int) {
			for range n {
				go func() { _ = m.Enqueue(ctx, 1) }()
			}
			synctest.Wait()
		}
		wait(senders)
		giveUp()
		synctest.Wait()
		if n := mailbox.SpareWaiters(m); n != mailbox.MaxSpareWaiters {
			t.Errorf("%d waiters are kept after %d waited at once, want %d", n, senders, mailbox.MaxSpareWaiters)
		}
		ctx, giveUp = context.WithCancel(t.Context())
		wait(2)
		if n := mailbox.SpareWaiters(m); n != mailbox.MaxSpareWaiters-2 {
			t.Errorf("%d waiters are kept while two wait, want %d", n, mailbox.MaxSpareWaiters-2)
		}
		giveUp()
		synctest.Wait()
		if n := mailbox.SpareWaiters(m); n != mailbox.MaxSpareWaiters {
			t.Errorf("%d waiters are kept in the end, want %d", n, mailbox.MaxSpareWaiters)
		}
	})
}

// TestStressWaitingOrder: the messages of waiting senders, single or batches, go in in the order in which the senders came,
// although newcomers take places all the time and the consumer frees several at once.
func TestStressWaitingOrder(t *testing.T) {
	stressRounds(t, waitingOrderRound)
}

func waitingOrderRound(t *testing.T, r *rand.Rand) {
	const senders, newcomer = 6, -1
	ctx := context.Background()
	m := mailbox.New(mailbox.Config[int]{Capacity: 1 + r.IntN(4), Overflow: mailbox.Wait})
	for range m.Cap() {
		_ = m.TryEnqueue(newcomer)
	}
	var wg sync.WaitGroup
	sent := 0
	for i := range senders {
		vs := []int{sent, sent + 1, sent + 2}[:1+r.IntN(3)]
		sent += len(vs)
		wg.Go(func() {
			var err error
			if len(vs) == 1 {
				err = m.Enqueue(ctx, vs[0])
			} else {
				_, err = m.EnqueueBatch(ctx, vs)
			}
			if err != nil {
				t.Error(err)
			}
		})
		for m.Stats().Waited < uint64(i+1) { // listed, so that the next one is behind it
			yield()
		}
	}
	var stop atomic.Bool
	wg.Go(func() {
		for !stop.Load() {
			if m.TryEnqueue(newcomer) != nil {
				yield()
			}
		}
	})
	dst := make([]int, m.Cap())
	for want := 0; want < sent; {
		n, err := m.DequeueBatch(ctx, dst[:1+r.IntN(len(dst))])
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range dst[:n] {
			if v == newcomer {
				continue
			}
			if v != want {
				t.Fatalf("message %d came in the place of %d", v, want)
			}
			want++
		}
	}
	stop.Store(true)
	wg.Wait()
}

// TestEnqueueBatchWaits: a batch larger than the capacity goes through in parts.
func TestEnqueueBatchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mailbox.New(mailbox.Config[int]{Capacity: 3, Overflow: mailbox.Wait})
		var added int
		var err error
		go func() { added, err = m.EnqueueBatch(t.Context(), []int{1, 2, 3, 4, 5, 6, 7}) }()
		var got []int
		for len(got) < 7 {
			got = append(got, contents(t, m)...)
			synctest.Wait()
		}
		if added != 7 || err != nil || !slices.Equal(got, []int{1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("EnqueueBatch = %d, %v; received %v", added, err, got)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if added, err = m.EnqueueBatch(ctx, []int{1, 2, 3, 4}); added != 3 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("EnqueueBatch without a consumer = %d, %v, want 3 and the deadline's error", added, err)
		}
	})
}

// TestStressLastSender: a sender that the consumer's last look at the list missed finds the place itself: nobody else comes
// by to give it to the sender.
func TestStressLastSender(t *testing.T) {
	procs := []int{1, 2, 4}
	for _, n := range procs {
		t.Run(fmt.Sprintf("procs=%d", n), func(t *testing.T) {
			withProcs(t, n)
			r := newRand(t)
			d := stressTime(t, len(procs))
			end := time.Now().Add(d)
			ctx, cancel := context.WithTimeout(t.Context(), d+10*time.Second) // for a sender that was left
			defer cancel()
			rounds := 0
			for ; time.Now().Before(end); rounds++ {
				lastSenderRound(ctx, t, r)
			}
			t.Logf("%d rounds", rounds)
		})
	}
}

func lastSenderRound(ctx context.Context, t *testing.T, r *rand.Rand) {
	m := mailbox.New(mailbox.Config[int]{Capacity: 1, Overflow: mailbox.Wait})
	fill(t, m)
	pause := func(yields int) {
		for range yields {
			yield()
		}
	}
	sendersPause := r.IntN(4)
	var sent error
	var sender sync.WaitGroup
	sender.Go(func() {
		pause(sendersPause)
		sent = m.Enqueue(ctx, 1)
	})
	pause(r.IntN(4))
	for want := range 2 {
		if v, err := m.Dequeue(ctx); v != want || err != nil {
			sender.Wait()
			t.Fatalf("Dequeue = %d, %v, want %d; Enqueue = %v", v, err, want, sent)
		}
	}
	sender.Wait()
	if sent != nil {
		t.Fatalf("Enqueue = %v", sent)
	}
}

// TestStressWake: no wake-up is lost, of the consumer or of waiting senders. The mailbox is tiny, so that everybody sleeps
// all the time; senders give up now and then, which must not swallow another's wake-up. A lost one shows as a hang.
func TestStressWake(t *testing.T) {
	for _, procs := range []int{1, 2, 4} {
		eachStrategy(t, func(t *testing.T, wait mailbox.WaitStrategy) {
			for _, capacity := range []int{1, 4} {
				t.Run(fmt.Sprintf("procs=%d/capacity=%d", procs, capacity), func(t *testing.T) {
					withProcs(t, procs)
					wakeRound(t, mailbox.Config[int]{Capacity: capacity, Overflow: mailbox.Wait, Wait: wait}, stressTime(t, 12))
				})
			}
		})
	}
}

func wakeRound(t *testing.T, cfg mailbox.Config[int], d time.Duration) {
	const senders = 3
	m := mailbox.New(cfg)
	r := newRand(t)
	end := time.Now().Add(d)
	sent := make([]int, senders)
	var wg sync.WaitGroup
	for s := range senders {
		sr := rand.New(rand.NewPCG(r.Uint64(), 0))
		wg.Go(func() { sent[s] = sendUntil(m, end, sr) })
	}
	received := make(chan int)
	go func() {
		n := 0
		defer func() { received <- n }()
		dst := make([]int, 2)
		for {
			got, err := m.DequeueBatch(context.Background(), dst[:1+n%2])
			if err != nil {
				return
			}
			n += got
		}
	}()
	wg.Wait()
	m.Close()
	total := 0
	for _, n := range sent {
		total += n
	}
	if got := <-received; got != total || total == 0 {
		t.Fatalf("received %d of %d messages", got, total)
	}
}

func sendUntil(m *mailbox.Mailbox[int], end time.Time, r *rand.Rand) (sent int) {
	for time.Now().Before(end) {
		ctx, cancel := context.Background(), func() {}
		if r.IntN(8) == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(20))*time.Microsecond)
		}
		if r.IntN(3) == 0 {
			n, _ := m.EnqueueBatch(ctx, []int{1, 2, 3})
			sent += n
		} else if m.Enqueue(ctx, 1) == nil {
			sent++
		}
		cancel()
	}
	return sent
}

// TestDropOldestConcurrent: senders that drop take the consumer's part beside the consumer; every message is received or
// dropped, once.
func TestDropOldestConcurrent(t *testing.T) {
	const senders, each = 4, 3000
	var mu sync.Mutex
	seen := make([]int, senders*each)
	note := func(v int) {
		mu.Lock()
		defer mu.Unlock()
		seen[v]++
	}
	m := mailbox.New(mailbox.Config[int]{Capacity: 3, Overflow: mailbox.DropOldest, OnDrop: note})
	var wg, consumer sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				if err := m.TryEnqueue(s*each + i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	consumer.Go(func() {
		for {
			v, err := m.Dequeue(context.Background())
			if err != nil {
				return
			}
			note(v)
		}
	})
	wg.Wait()
	m.Close()
	consumer.Wait()
	for v, n := range seen {
		if n != 1 {
			t.Fatalf("message %d was received or dropped %d times", v, n)
		}
	}
}

// TestDropOldestKeepsTheNewest: with one sender nobody else can take the place that it frees, so the message being sent
// is never the one that is dropped, whatever the consumer does in between.
func TestDropOldestKeepsTheNewest(t *testing.T) {
	sending, lost := -1, 0 // OnDrop runs on the sender's goroutine
	m := mailbox.New(mailbox.Config[int]{Capacity: 1, Overflow: mailbox.DropOldest, OnDrop: func(v int) {
		if v == sending {
			lost++
		}
	}})
	var consumer sync.WaitGroup
	consumer.Go(func() {
		for {
			if _, err := m.Dequeue(context.Background()); err != nil {
				return
			}
		}
	})
	for end := time.Now().Add(stressTime(t, 1)); time.Now().Before(end); {
		for range 1000 {
			sending++
			if err := m.TryEnqueue(sending); err != nil {
				t.Error(err)
			}
		}
	}
	m.Close()
	consumer.Wait()
	if lost > 0 {
		t.Fatalf("%d of %d messages were dropped while they were sent", lost, sending+1)
	}
}

package actor_test

import (
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// TestOverflow: which messages are handled and which are dropped, with and without samples.
func TestOverflow(t *testing.T) {
	for _, test := range []struct {
		overflow mailbox.Overflow
		handled  []int
		dropped  []any
		err      error
	}{
		{mailbox.Fail, []int{0, 1, 2, 3}, nil, mailbox.ErrFull},
		{mailbox.DropNewest, []int{0, 1, 2, 3}, []any{4, 5}, nil},
		{mailbox.DropOldest, []int{0, 3, 4, 5}, []any{1, 2}, nil},
	} {
		for _, sample := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				var handled []int
				var dropped []any
				sys := newTestSystem(t, actor.SystemConfig{Sample: sample, OnDeadLetter: func(d actor.DeadLetter) {
					if d.Reason == actor.ErrOverflow {
						dropped = append(dropped, d.Message)
					}
				}})
				release := make(chan struct{})
				ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
					<-release
					handled = append(handled, m)
					return nil
				}, actor.Config{MailboxCapacity: 3, Overflow: test.overflow})
				tellAll(t, ref, 0)
				synctest.Wait() // 0 is in the handler
				tellAll(t, ref, 1, 2, 3)
				for m := 4; m < 6; m++ {
					if err := ref.Tell(m); err != test.err {
						t.Errorf("%v: Tell(%d) = %v, want %v", test.overflow, m, err, test.err)
					}
				}
				n := uint64(len(test.dropped))
				if st := ref.Stats(); st.Dropped != n || st.Depth != 3 || st.Capacity != 3 {
					t.Errorf("%v: stats %+v", test.overflow, st)
				}
				if st := sys.Stats(); st.Dropped != n || st.DeadLetters != n {
					t.Errorf("%v: stats %+v", test.overflow, st)
				}
				close(release)
				stopSystem(t, sys)
				if !slices.Equal(handled, test.handled) || !slices.Equal(dropped, test.dropped) {
					t.Errorf("%v: handled %v, dropped %v; want %v and %v", test.overflow, handled, dropped, test.handled, test.dropped)
				}
				if err := ref.Tell(9); err != mailbox.ErrClosed {
					t.Errorf("%v: Tell to a stopped actor = %v", test.overflow, err)
				}
			})
		}
	}
}

// TestOverflowStress: with several senders, on a tiny mailbox, accepted = handled + dropped, each message
// once, and each sender's messages in order.
func TestOverflowStress(t *testing.T) {
	for _, overflow := range []mailbox.Overflow{mailbox.DropNewest, mailbox.DropOldest} {
		withProcs(t, func(t *testing.T) {
			var dropped atomic.Int64
			sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(actor.DeadLetter) { dropped.Add(1) }})
			const senders = 3
			perSender := iterations(5000)
			var last [senders]int
			handled := 0
			ref := actor.Spawn(sys, func(_ *actor.Context[[2]int], m [2]int) error {
				handled++
				if m[1] <= last[m[0]] {
					t.Errorf("sender %d: %d after %d", m[0], m[1], last[m[0]])
				}
				last[m[0]] = m[1]
				return nil
			}, actor.Config{MailboxCapacity: 2, Overflow: overflow})
			var wg sync.WaitGroup
			for s := range senders {
				wg.Go(func() {
					for i := range perSender {
						if err := ref.Tell([2]int{s, i + 1}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			stopSystem(t, sys)
			if got := handled + int(dropped.Load()); got != senders*perSender {
				t.Errorf("handled %d + dropped %d of %d", handled, dropped.Load(), senders*perSender)
			}
		})
	}
}

// TestCloseInOnDeadLetter: the new message is in before the dropped one becomes a dead letter, so a Close at that
// moment does not refuse it.
func TestCloseInOnDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled []int
		var dropped []any
		var ref actor.Ref[int]
		sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) {
			dropped = append(dropped, d.Message)
			ref.Close()
		}})
		release := make(chan struct{})
		ref = actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
			<-release
			handled = append(handled, m)
			return nil
		}, actor.Config{MailboxCapacity: 2, Overflow: mailbox.DropOldest})
		tellAll(t, ref, 0)
		synctest.Wait() // 0 is in the handler
		tellAll(t, ref, 1, 2)
		if err := ref.Tell(3); err != nil {
			t.Errorf("Tell = %v with %v dropped for it", err, dropped)
		}
		close(release)
		stopSystem(t, sys)
		if !slices.Equal(handled, []int{0, 2, 3}) || !slices.Equal(dropped, []any{1}) {
			t.Errorf("handled %v, dropped %v", handled, dropped)
		}
	})
}

// TestDropOldestCloseRace: Close does not come between the drop of the oldest message and the enqueue of the new one:
// the last accepted message is handled, not dropped for one that is refused.
func TestDropOldestCloseRace(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		for i := range iterations(5000) {
			playRound(t, func(t testing.TB) { raceDropOldestClose(t, sys, i%8) })
		}
		stopSystem(t, sys)
	})
}

func raceDropOldestClose(t testing.TB, sys *actor.System, yields int) {
	t.Helper()
	release, last := make(chan struct{}), -1
	ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
		<-release // the mailbox stays full
		last = m
		return nil
	}, actor.Config{MailboxCapacity: 1, Overflow: mailbox.DropOldest, Blocking: true})
	var closer sync.WaitGroup
	closer.Go(func() {
		for range yields {
			goruntime.Gosched()
		}
		ref.Close()
	})
	accepted := 0
	for ; ref.Tell(accepted) == nil; accepted++ {
		if accepted%64 == 0 {
			goruntime.Gosched()
		}
	}
	closer.Wait()
	close(release)
	if err := ref.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if last != accepted-1 {
		t.Fatalf("the last of %d accepted messages was not handled, but %d", accepted, last)
	}
}

// TestPriority: the order is that of mailbox.Priority, a level that is none counts as Low,
// and TellWait gets its room on every level.
func TestPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		release := make(chan struct{})
		var got []int
		ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
			<-release
			got = append(got, m)
			return nil
		}, actor.Config{MailboxCapacity: 2, Priority: actor.PriorityBy(func(n int) mailbox.Level { return mailbox.Level(n / 10) })})
		tellAll(t, ref, 20)
		synctest.Wait()
		tellAll(t, ref, 30, 10, 90, 21, 0, 22, 1)
		for _, m := range []int{31, 2} {
			if err := ref.Tell(m); err != mailbox.ErrFull {
				t.Errorf("Tell(%d) = %v, want its level to be full", m, err)
			}
		}
		tellAll(t, ref, 11)
		ctx := within(t)
		var wg sync.WaitGroup
		for _, m := range []int{32, 33, 3, 4} {
			wg.Go(func() {
				if err := ref.TellWait(ctx, m); err != nil {
					t.Errorf("TellWait(%d) = %v", m, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		stopSystem(t, sys)
		slices.Sort(got[9:]) // with the waiting ones it depends on who wakes first
		if want := []int{20, 0, 1}; !slices.Equal(got[:3], want) || len(got) != 13 {
			t.Errorf("got %v, want %v first and 13", got, want)
		}
		if i30, i10 := slices.Index(got, 30), slices.Index(got, 10); i10 > i30 {
			t.Errorf("a low one before a high one: %v", got)
		}
	})
}

// TestPrioritiesOfManySenders: no message is lost, over all levels and with waiting senders.
func TestPrioritiesOfManySenders(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		var handled [4]int
		ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
			handled[m%4]++
			return nil
		}, actor.Config{MailboxCapacity: 1, Priority: actor.PriorityBy(func(n int) mailbox.Level { return mailbox.Level(n % 4) })})
		ctx := within(t)
		n := iterations(2000)
		var wg sync.WaitGroup
		for level := range 4 {
			wg.Go(func() {
				for range n {
					if err := ref.TellWait(ctx, level); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		stopSystem(t, sys)
		if handled != [4]int{n, n, n, n} {
			t.Errorf("handled %v, want %d of each", handled, n)
		}
	})
}

package mailbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/ringmill/ringmill/mailbox"
)

// TestMailboxCloseRace: a consumer that is about to sleep when the mailbox is closed
// wakes up and finds it closed. One that did not look again after parking would sleep
// for ever, which the test's own time limit shows.
func TestMailboxCloseRace(t *testing.T) {
	for range 20_000 {
		m := mailbox.New(mailbox.Config[int]{Capacity: 1})
		got := make(chan error, 1)
		go func() {
			_, err := m.Dequeue(context.Background())
			got <- err
		}()
		m.Close()
		if err := <-got; !errors.Is(err, mailbox.ErrClosed) {
			t.Fatalf("Dequeue = %v, want ErrClosed", err)
		}
	}
}

// TestGiveUpWhileServed: a waiting sender gives up at the moment when a place becomes
// free. Either its message has the place, and it answers nil, or the next sender's has.
func TestGiveUpWhileServed(t *testing.T) {
	for range 60 {
		synctest.Test(t, func(t *testing.T) {
			m := mailbox.New(mailbox.Config[int]{Capacity: 1, Overflow: mailbox.Wait})
			if err := m.TryEnqueue(0); err != nil {
				t.Fatal(err)
			}
			impatient, giveUp := context.WithCancel(t.Context())
			sent := make(chan error, 2)
			go func() { sent <- m.Enqueue(impatient, 1) }()
			synctest.Wait()
			go func() { sent <- m.Enqueue(t.Context(), 2) }()
			synctest.Wait()
			giveUp()
			if _, err := m.Dequeue(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			first, open := <-sent, true
			if first == nil { // whoever got the place, the other has it or has given up
				_, err := m.Dequeue(t.Context())
				open = err == nil
			}
			if second := <-sent; !open || first != nil && second != nil {
				t.Fatalf("the senders got %v and %v beside a free place", first, second)
			}
		})
	}
}

// TestPriorityRatioHolds: the credits are dealt anew for ever: over a long steady flow
// the levels share the consumer 8:4:2:1 exactly.
func TestPriorityRatioHolds(t *testing.T) {
	const rounds = 2000
	p := mailbox.NewPriority[mailbox.Level](64)
	for _, l := range allLevels {
		for range 64 {
			if err := p.TryEnqueue(l, l); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := map[mailbox.Level]int{}
	for range 15 * rounds {
		l, ok := p.TryDequeue()
		if !ok {
			t.Fatal("nothing ready")
		}
		count[l]++
		if err := p.TryEnqueue(l, l); err != nil {
			t.Fatal(err)
		}
	}
	for i, l := range allLevels {
		if want := rounds * (8 >> i); count[l] != want {
			t.Errorf("level %d had %d turns, want %d; all %v", i, count[l], want, count)
		}
	}
}

// TestPriorityReady: a message on any level makes the mailbox ready.
func TestPriorityReady(t *testing.T) {
	for _, l := range allLevels {
		p := mailbox.NewPriority[int](4)
		if err := p.TryEnqueue(l, 1); err != nil || !p.Ready() {
			t.Errorf("level %v: TryEnqueue %v, Ready %t", l, err, p.Ready())
		}
	}
}

// TestLenIsNeverTooLong: an observer of a mailbox that never holds more than one
// message never sees more.
func TestLenIsNeverTooLong(t *testing.T) {
	m := mailbox.NewMPSC[int](1024)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200_000 {
			_ = m.TryEnqueue(i)
			m.TryDequeue()
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
		}
		if n := m.Len(); n > 1 {
			t.Fatalf("Len = %d with at most one message in the mailbox", n)
		}
	}
}

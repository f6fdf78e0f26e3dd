package actor_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// TestTellAssist: an idle actor's handler has run when TellAssist returns; one
// that is at work is not waited for; a stopped one refuses.
func TestTellAssist(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	inside, leave := make(chan struct{}), make(chan struct{})
	handled := 0 // belongs to the actor, which this goroutine runs or waits for
	ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
		if m == 0 {
			close(inside)
			<-leave
		}
		handled++
		return nil
	}, actor.Config{})
	if err := ref.TellAssist(1); err != nil || handled != 1 {
		t.Fatalf("TellAssist to an idle actor: %v, handled %d", err, handled)
	}
	if err := ref.Tell(0); err != nil {
		t.Fatal(err)
	}
	<-inside
	if err := ref.TellAssist(2); err != nil { // returns although the handler does not
		t.Fatal(err)
	}
	close(leave)
	if err := ref.Stop(context.Background()); err != nil || handled != 3 {
		t.Errorf("Stop: %v, handled %d, want 3", err, handled)
	}
	if err := ref.TellAssist(3); !errors.Is(err, mailbox.ErrClosed) {
		t.Errorf("TellAssist to a stopped actor: %v", err)
	}
}

// TestTellAssistStress: senders that assist and senders that do not share one
// actor; it is never entered twice at once and handles every message once.
func TestTellAssistStress(t *testing.T) {
	const senders, each = 8, 2000
	sys := newSystem(t, actor.SystemConfig{})
	handled := 0 // the race detector sees a second goroutine inside
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error { handled++; return nil }, actor.Config{MailboxCapacity: senders * each})
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			tell := ref.Tell
			if s%2 == 0 {
				tell = ref.TellAssist
			}
			for i := range each {
				if err := tell(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := ref.Stop(context.Background()); err != nil || handled != senders*each {
		t.Errorf("Stop: %v, handled %d, want %d", err, handled, senders*each)
	}
}

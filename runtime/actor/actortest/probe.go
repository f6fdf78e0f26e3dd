package actortest

import (
	"context"
	"testing"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// probeCapacity bounds the messages that a probe keeps; more are refused as by any
// full mailbox.
const probeCapacity = 1 << 14

// Probe is an actor that keeps what it is told until the test asks for it. Its methods are for the
// test's goroutine; its Ref is for everybody.
type Probe[M any] struct {
	t   testing.TB
	ref actor.Ref[M]
	box *mailbox.Mailbox[M]
}

// NewProbe spawns a probe on sys and closes it at the end of the test. Messages come in the order
// in which they were told; 16,384 are kept.
func NewProbe[M any](t testing.TB, sys *actor.System) *Probe[M] {
	p := &Probe[M]{t: t, box: mailbox.New(mailbox.Config[M]{Capacity: probeCapacity})}
	p.ref = actor.Spawn(sys, func(_ *actor.Context[M], m M) error {
		return p.box.TryEnqueue(m)
	}, actor.Config{Name: "probe of " + t.Name()})
	t.Cleanup(p.ref.Close)
	return p
}

// Ref returns the probe's Ref.
func (p *Probe[M]) Ref() actor.Ref[M] { return p.ref }

// Expect returns the next message and waits for it up to d. If none comes the test fails at once.
func (p *Probe[M]) Expect(d time.Duration) M {
	p.t.Helper()
	m, ok := p.next(d)
	if !ok {
		p.t.Fatalf("actortest: no message within %v", d)
	}
	return m
}

// ExpectThat is Expect for the next message, which must satisfy ok.
func (p *Probe[M]) ExpectThat(d time.Duration, ok func(M) bool) M {
	p.t.Helper()
	m := p.Expect(d)
	if !ok(m) {
		p.t.Fatalf("actortest: got %+v, which is not what was expected", m)
	}
	return m
}

// ExpectNone waits for d and fails the test at once if a message comes. In a synctest
// bubble that takes no real time and is exact: time passes only when every actor is idle.
func (p *Probe[M]) ExpectNone(d time.Duration) {
	p.t.Helper()
	if m, ok := p.next(d); ok {
		p.t.Fatalf("actortest: got %+v, want no message", m)
	}
}

// ExpectStopped waits until the actor of ref has stopped, up to d. If it does not the test
// fails at once.
func ExpectStopped[M any](t testing.TB, ref actor.Ref[M], d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	select {
	case <-ref.Stopped():
	case <-ctx.Done():
		t.Fatalf("actortest: %q has not stopped within %v: %s", ref.Name(), d, ref.Stats().State)
	}
}

func (p *Probe[M]) next(d time.Duration) (M, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	m, err := p.box.Dequeue(ctx)
	return m, err == nil
}

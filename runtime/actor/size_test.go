package actor_test

import (
	goruntime "runtime"
	"strconv"
	"testing"

	"github.com/ringmill/ringmill/runtime/actor"
)

// TestBytesOfAnIdleActor: what features an actor does not use do not weigh on it.
func TestBytesOfAnIdleActor(t *testing.T) {
	const n, limit = 20_000, 512
	sys := newSystem(t, actor.SystemConfig{})
	heap := func() uint64 {
		goruntime.GC()
		goruntime.GC()
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	refs := make([]actor.Ref[int], n)
	handler := func(*actor.Context[int], int) error { return nil }
	before := heap()
	for i := range refs {
		refs[i] = actor.Spawn(sys, handler, actor.Config{})
	}
	after := heap()
	per := (after - before) / n
	t.Logf("%d bytes", per)
	if per > limit {
		t.Errorf("an idle actor takes %d bytes, want at most %d", per, limit)
	}
	goruntime.KeepAlive(refs)
}

// TestLines: what a message touches of an actor lies in two pairs of cache lines, the mailbox's three and the one of status. The handler
// is in the line that the consumer writes, behind the mailbox; one of the size classes of malloc is as large and keeps lines aligned.
func TestLines(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skip("lines are kept apart where a word has 64 bits")
	}
	const line = 64
	if actor.ActorSize != 6*line {
		t.Errorf("an actor takes %d bytes, want %d", actor.ActorSize, 6*line)
	}
	if actor.InboxAt.Begin != 0 { // then its ring begins 8 bytes behind a line, as it must
		t.Errorf("the mailbox begins at %d, want 0", actor.InboxAt.Begin)
	}
	if consumers := (actor.InboxAt.End - 1) / line; actor.HandlerAt.Begin/line != consumers || (actor.HandlerAt.End-1)/line != consumers {
		t.Errorf("handler and context lie at %+v, want them in the line in which the mailbox ends, at %d", actor.HandlerAt, actor.InboxAt.End)
	}
	if want := (actor.Span{Begin: 3 * line, End: 4 * line}); actor.StatusAt != want {
		t.Errorf("status and what goes with it lie at %+v, want %+v", actor.StatusAt, want)
	}
}

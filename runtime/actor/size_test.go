package actor_test

import (
	goruntime "runtime"
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

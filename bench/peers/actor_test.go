package peers_test

import (
	"testing"

	"github.com/ringmill/ringmill/bench/savina"
)

// peerSides are the sides of other libraries, by the name of the scenario that they take part in.
var peerSides = []struct {
	name  string
	sides map[string]func(*savina.Run)
}{
	{"protoactor", protoactorSides},
	{"ants", antsSides},
	{"pond", pondSides},
}

// BenchmarkActor: the scenarios of package savina in which another library takes part, all sides in one run.
func BenchmarkActor(b *testing.B) {
	for _, s := range savina.Scenarios() {
		forSides(s, func(name string, side func(*savina.Run)) {
			b.Run(s.Name+"/impl="+name, func(b *testing.B) { side(&savina.Run{TB: b, N: b.N}) })
		})
	}
}

// TestActorSides: every side comes to its end with few units.
func TestActorSides(t *testing.T) {
	tested := 0
	for _, s := range savina.Scenarios() {
		forSides(s, func(name string, side func(*savina.Run)) {
			tested++
			t.Run(s.Name+"/impl="+name, func(t *testing.T) { side(&savina.Run{TB: t, N: s.Small}) })
		})
	}
	want := 0
	for _, p := range peerSides {
		want += len(p.sides)
	}
	if tested < want {
		t.Errorf("%d sides tested, want at least %d: a side has the name of no scenario", tested, want)
	}
}

// forSides calls do for ours, the channel's and the peers' sides of s, or not at all if no peer has one.
func forSides(s savina.Scenario, do func(name string, side func(*savina.Run))) {
	began := false
	for _, p := range peerSides {
		side := p.sides[s.Name]
		if side == nil {
			continue
		}
		if !began {
			began = true
			do("ringmill", s.Ringmill)
			do("goroutine-channel", s.Channel)
		}
		do(p.name, side)
	}
}

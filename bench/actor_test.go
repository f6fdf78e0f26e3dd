package bench_test

import (
	"testing"

	"github.com/ringmill/ringmill/bench/savina"
)

// BenchmarkActor: actors beside a goroutine and a channel each; see package savina for the questions. ns/op is per
// Scenario.Unit.
func BenchmarkActor(b *testing.B) {
	for _, s := range savina.Scenarios() {
		b.Run(s.Name+"/impl=ringmill", func(b *testing.B) { s.Ringmill(&savina.Run{TB: b, N: b.N}) })
		b.Run(s.Name+"/impl=goroutine-channel", func(b *testing.B) { s.Channel(&savina.Run{TB: b, N: b.N}) })
	}
}

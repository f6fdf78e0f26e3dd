package savina_test

import (
	"testing"

	"github.com/ringmill/ringmill/bench/savina"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// TestScenarios: both sides of every scenario come to their end with few units, and leave nothing running.
func TestScenarios(t *testing.T) {
	for _, s := range savina.Scenarios() {
		t.Run(s.Name+"/impl=ringmill", func(t *testing.T) { s.Ringmill(&savina.Run{TB: t, N: s.Small}) })
		t.Run(s.Name+"/impl=goroutine-channel", func(t *testing.T) { s.Channel(&savina.Run{TB: t, N: s.Small}) })
	}
}

package js_test

import (
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/js"
)

func TestBreakerStates(t *testing.T) {
	now := time.Now()
	allow, done, known := js.NewBreakers(3, time.Minute)
	expect := func(script byte, want bool) {
		t.Helper()
		if got := allow(script, now); got != want {
			t.Errorf("allow(%d) = %t, want %t", script, got, want)
		}
	}
	for range 2 {
		expect(1, true)
		done(1, js.ClassTimeout, now)
	}
	now = now.Add(2 * time.Minute) // the first failures are forgotten
	for range 2 {
		done(1, js.ClassOOM, now)
	}
	expect(1, true)
	done(1, js.ClassScript, now) // does not count, and is no reason to forget
	done(1, js.ClassTrap, now)
	expect(1, false)
	expect(2, true)
	now = now.Add(time.Minute)
	expect(1, true) // the probe
	expect(1, false)
	done(1, js.ClassHost, now) // it did not run
	expect(1, true)
	done(1, js.ClassTimeout, now)
	expect(1, false)
	now = now.Add(time.Minute)
	expect(1, true)
	done(1, "", now)
	expect(1, true)
	expect(1, true)
	if known() != 0 {
		t.Errorf("%d breakers are kept for scripts that are well", known())
	}
	for i := range 200 { // many traps stop everything
		done(byte(i), js.ClassTrap, now)
	}
	expect(250, false)
	now = now.Add(time.Minute)
	expect(250, true)
}

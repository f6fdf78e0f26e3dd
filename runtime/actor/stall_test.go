package actor_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

// holdTheWorker blocks; its name is looked for in the stack.
func holdTheWorker(release <-chan struct{}) { <-release }

// TestStall: a handler that blocks is reported once, in time, by name, message type and stack;
// a busy actor, a short block, and one on the blocking executor are not.
func TestStall(t *testing.T) {
	const after = 100 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		stalls := make(chan actor.Stall, 10)
		sys := newTestSystem(t, actor.SystemConfig{StallAfter: after, OnStall: func(s actor.Stall) {
			stalls <- s
			panic("contained")
		}})
		release := make(chan struct{})
		spawn := func(name string, blocking bool) actor.Ref[string] {
			return actor.Spawn(sys, func(c *actor.Context[string], m string) error {
				switch m {
				case "block":
					holdTheWorker(release)
				case "tiny":
					time.Sleep(time.Millisecond)
				case "short":
					time.Sleep(after - time.Millisecond) // of the test's own clock
				}
				return nil
			}, actor.Config{Name: name, Blocking: blocking})
		}
		culprit, busy, allowed := spawn("culprit", false), spawn("busy", false), spawn("allowed", true)
		for range 20 { // a slice is one message once the actor counts as slow
			tellAll(t, busy, "tiny")
		}
		for range 20 {
			tellAll(t, busy, "short")
		}
		tellAll(t, allowed, "block")
		time.Sleep(time.Minute)
		if len(stalls) != 0 {
			s := <-stalls
			t.Errorf("reported %s of %s", s.Held, s.Actor)
		}
		tellAll(t, culprit, "block", "after")
		time.Sleep(time.Minute)
		if len(stalls) != 1 {
			t.Errorf("%d reports, want 1", len(stalls))
		}
		s := <-stalls
		if s.Actor != "culprit" || s.Message != "string" || !strings.Contains(string(s.Stack), "holdTheWorker") {
			t.Errorf("reported %+v\n%s", s, s.Stack)
		}
		if s.Held < after || s.Held > after+after/2 {
			t.Errorf("held for %v in the report, want %v and at most half more", s.Held, after)
		}
		close(release)
		stopSystem(t, sys)
		if st := sys.Stats(); st.Stalls != 1 || st.Panics != 1 {
			t.Errorf("%d stalls, %d panics", st.Stalls, st.Panics)
		}
	})
}

// TestStallDetectorSleeps: without work there is no timer, so that the test's own clock has nothing to
// move on to. (A timer would be seen by the deadlock that synctest reports when there is none.)
func TestStallDetectorSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{StallAfter: time.Hour, OnStall: func(s actor.Stall) { t.Errorf("%+v", s) }})
		done := make(chan struct{})
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error { done <- struct{}{}; return nil }, actor.Config{})
		for range 100 {
			tellAll(t, ref, 1)
			<-done
			time.Sleep(3 * time.Hour) // looks that find nobody end the timer; a worker arms it again
		}
		stopSystem(t, sys)
	})
}

// BenchmarkStallDetector is what StallAfter costs a hop between two actors.
func BenchmarkStallDetector(b *testing.B) {
	for _, after := range []time.Duration{0, 100 * time.Millisecond} {
		b.Run(fmt.Sprintf("after=%v", after), func(b *testing.B) {
			b.ReportAllocs()
			sys := newSystem(b, actor.SystemConfig{StallAfter: after})
			done := make(chan struct{}, 1)
			var refs [2]actor.Ref[int]
			for i := range refs {
				refs[i] = actor.Spawn(sys, func(c *actor.Context[int], hops int) error {
					if hops == 0 {
						done <- struct{}{}
						return nil
					}
					return refs[1-i].TellFrom(c, hops-1)
				}, actor.Config{})
			}
			for b.Loop() {
				_ = refs[0].Tell(1000)
				<-done
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/hop")
		})
	}
}

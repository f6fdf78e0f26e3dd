package actor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

// TestSamples: one message in 64 is measured, and what is measured is right, on the test's own clock.
func TestSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
			time.Sleep(10 * time.Millisecond) // of the test's own clock
			return nil
		}, actor.Config{Name: "s", Sample: true, MailboxCapacity: 1 << 10})
		for m := range 640 {
			tellAll(t, ref, m)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		st := ref.Stats()
		// Messages 0, 64, ... 576 wait 0, 0.64 s, ... 5.76 s.
		if st.Wait != (actor.Times{Count: 10, Mean: 2880 * time.Millisecond, Max: 5760 * time.Millisecond}) ||
			st.Service != (actor.Times{Count: 10, Mean: 10 * time.Millisecond, Max: 10 * time.Millisecond}) {
			t.Errorf("wait %+v, service %+v", st.Wait, st.Service)
		}
		if st.Handled != 640 || st.Type != "int" || st.Name != "s" {
			t.Errorf("%+v", st)
		}
		stopSystem(t, sys)
	})
}

// TestActorStates: every state an actor can be seen in.
func TestActorStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		release := make(chan struct{})
		spawn := func(name string) actor.Ref[string] {
			return actor.Spawn(sys, func(c *actor.Context[string], m string) error {
				switch m {
				case "block":
					<-release
				case "fail":
					return errOops
				}
				return nil
			}, actor.Config{Name: name, Blocking: name == "busy", Supervision: &actor.Supervision{Backoff: time.Hour, MaxBackoff: time.Hour}})
		}
		spawn("idle")
		busy, failing, stopping, stopped := spawn("busy"), spawn("backing off"), spawn("stopping"), spawn("stopped")
		tellAll(t, busy, "block", "a", "b")
		tellAll(t, failing, "fail", "a")
		tellAll(t, stopping, "block", "a")
		synctest.Wait()
		stopping.Close()
		stopped.Close()
		synctest.Wait()
		all := sys.Actors()
		for _, st := range all {
			if string(st.State) != st.Name {
				t.Errorf("%q is %q", st.Name, st.State)
			}
		}
		if len(all) != 4 {
			t.Errorf("%d actors, want the 4 that have not stopped", len(all))
		}
		if st := stopped.Stats(); st.State != actor.StateStopped {
			t.Errorf("%+v", st)
		}
		if st := (actor.Ref[int]{}).Stats(); st.State != actor.StateStopped || st.Type != "int" {
			t.Errorf("%+v", st)
		}
		if st := busy.Stats(); !st.Busy || !st.Blocking || st.Depth != 2 || st.Capacity != 1024 {
			t.Errorf("%+v", st)
		}
		close(release)
		stopSystem(t, sys)
	})
}

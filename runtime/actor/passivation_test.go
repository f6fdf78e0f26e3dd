package actor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// TestPassivation: an actor ends after its time of silence, not sooner, at most a quarter
// later; messages put that off, signals do not.
func TestPassivation(t *testing.T) {
	const after = time.Second
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		var events []actor.Event
		listener := actor.Spawn(sys, func(_ *actor.Context[actor.Event], e actor.Event) error {
			events = append(events, e)
			return nil
		}, actor.Config{})
		cancel := actor.Subscribe(sys, listener, func(e actor.Event) (actor.Event, bool) { return e, e.Kind >= actor.Stopped })
		defer cancel()
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil },
			actor.Config{Name: "idler", PassivateAfter: after, OnSignal: func() {}})
		for range 50 {
			tellAll(t, ref, 1)
			time.Sleep(after - tick)
		}
		last := time.Now().Add(tick - after)
		time.Sleep(tick)
		synctest.Wait()
		if ref.Closed() {
			t.Fatalf("closed after %v", time.Since(last))
		}
		ref.Signal()
		<-ref.Stopped()
		if d := time.Since(last); d < after || d > after+after/4+2*tick {
			t.Errorf("stopped after %v of silence, want %v and at most a quarter more", d, after)
		}
		synctest.Wait()
		if len(events) != 2 || events[0].Kind != actor.Passivated || events[1].Kind != actor.Stopped || events[0].Actor != "idler" {
			t.Errorf("events %v", events)
		}
		if err := ref.Tell(1); err != mailbox.ErrClosed {
			t.Errorf("Tell = %v", err)
		}
		if st := sys.Stats(); st.Passivated != 1 {
			t.Errorf("Passivated = %d", st.Passivated)
		}
		stopSystem(t, sys)
	})
}

// TestPassivationSpares: actors that are not idle though no message comes.
func TestPassivationSpares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		release := make(chan struct{})
		first := true
		refs := map[string]actor.Ref[string]{}
		for _, name := range []string{"busy", "stash", "parent", "timer", "back-off"} {
			refs[name] = actor.Spawn(sys, func(c *actor.Context[string], m string) error {
				switch m {
				case "busy":
					<-release
				case "stash":
					return c.Stash(m)
				case "parent":
					actor.SpawnChild(c, func(*actor.Context[int], int) error { return nil }, actor.Config{})
				case "timer":
					if first {
						c.Every(500*time.Millisecond, m)
					}
					first = false
				case "back-off":
					return errOops
				}
				return nil
			}, actor.Config{Name: name, PassivateAfter: time.Second, Supervision: &actor.Supervision{Backoff: time.Hour, MaxBackoff: time.Hour}})
			tellAll(t, refs[name], name)
		}
		time.Sleep(time.Minute)
		for name, ref := range refs {
			if ref.Closed() {
				t.Errorf("%s was passivated", name)
			}
		}
		close(release)
		time.Sleep(time.Minute)
		if !refs["busy"].Closed() {
			t.Error("busy was not passivated when it was idle")
		}
		stopSystem(t, sys)
	})
}

func TestPassivationOfAChildAndAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		child := make(chan actor.Ref[int], 1)
		parent := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
			child <- actor.SpawnChild(c, func(*actor.Context[int], int) error { return nil }, actor.Config{PassivateAfter: time.Second})
			return nil
		}, actor.Config{PassivateAfter: 2 * time.Second})
		tellAll(t, parent, 1)
		<-(<-child).Stopped()
		<-parent.Stopped() // when its child has gone
		actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{PassivateAfter: time.Hour})
		stopSystem(t, sys)
		late := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{PassivateAfter: time.Hour})
		<-late.Stopped()
	})
}

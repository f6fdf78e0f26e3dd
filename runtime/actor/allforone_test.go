package actor_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

// TestAllForOne: what a failure of one of three children leads to in the others.
func TestAllForOne(t *testing.T) {
	oneForOne := actor.Supervision{Backoff: 100 * time.Millisecond}
	allForOne := oneForOne
	allForOne.AllForOne = true
	stopping, escalating := allForOne, allForOne
	stopping.Decide = func(actor.Failure) actor.Directive { return actor.Stop }
	escalating.Decide = func(actor.Failure) actor.Directive { return actor.Escalate }
	resuming := allForOne
	resuming.Decide = func(actor.Failure) actor.Directive { return actor.Resume }
	for _, test := range []struct {
		name        string
		supervision actor.Supervision
		lives       [3]int // of the siblings; the last has no supervision
		stopped     int
		restarted   time.Duration // when the siblings handle a message again
	}{
		{"one for one", oneForOne, [3]int{2, 1, 1}, 0, 0},
		{"all for one", allForOne, [3]int{2, 2, 2}, 0, 100 * time.Millisecond},
		{"all stop", stopping, [3]int{1, 1, 1}, 3, 0},
		{"all stop for the parent", escalating, [3]int{1, 1, 1}, 3, 0},
		{"all resume", resuming, [3]int{1, 1, 1}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sys := newTestSystem(t, actor.SystemConfig{})
				var mu sync.Mutex
				var lives [3]int
				var at [3]time.Duration
				var refs [3]actor.Ref[string]
				var failed time.Time
				parent := actor.Spawn(sys, func(c *actor.Context[string], _ string) error {
					for i := range refs {
						cfg := actor.Config{Name: fmt.Sprint(i)}
						switch i {
						case 0:
							cfg.Supervision = &test.supervision
						case 1:
							cfg.Supervision = &actor.Supervision{MaxRestarts: 1}
						}
						refs[i] = actor.SpawnChildFunc(c, func() func(*actor.Context[string], string) error {
							mu.Lock()
							lives[i]++
							mu.Unlock()
							return func(_ *actor.Context[string], m string) error {
								if m == "fail" {
									return errOops
								}
								at[i] = time.Since(failed)
								return nil
							}
						}, cfg)
					}
					return nil
				}, actor.Config{})
				tellAll(t, parent, "spawn")
				synctest.Wait()
				failed = time.Now()
				tellAll(t, refs[0], "fail")
				synctest.Wait()
				stopped := 0
				for _, ref := range refs {
					if ref.Closed() {
						stopped++
					} else {
						tellAll(t, ref, "ok") // waits in the mailbox for the restart
					}
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if lives != test.lives || stopped != test.stopped {
					t.Errorf("lives %v, %d stopped; want %v, %d", lives, stopped, test.lives, test.stopped)
				}
				if at[1] != test.restarted || at[2] != test.restarted {
					t.Errorf("the siblings went on after %v, want %v", at[1:], test.restarted)
				}
				stopSystem(t, sys)
			})
		})
	}
}

// TestAllForOneTogether: two that fail at the same time restart once each, shared restarts do not
// count towards MaxRestarts, and a parent's stop finds siblings that back off.
func TestAllForOneTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gaveUp []error
		sys := newTestSystem(t, actor.SystemConfig{})
		supervision := &actor.Supervision{AllForOne: true, MaxRestarts: 5, Window: time.Hour, Backoff: time.Second, MaxBackoff: time.Second}
		var refs [2]actor.Ref[int]
		parent := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
			for i := range refs {
				refs[i] = actor.SpawnChild(c, func(_ *actor.Context[int], m int) error {
					if m == 1 {
						return errOops
					}
					return nil
				}, actor.Config{Supervision: supervision, Name: fmt.Sprint(i)})
			}
			return nil
		}, actor.Config{})
		events := actor.Spawn(sys, func(_ *actor.Context[error], err error) error {
			gaveUp = append(gaveUp, err)
			return nil
		}, actor.Config{})
		actor.Subscribe(sys, events, func(e actor.Event) (error, bool) { return e.Err, e.Kind == actor.GaveUp })
		tellAll(t, parent, 1)
		synctest.Wait()
		for range 5 {
			tellAll(t, refs[0], 1)
			time.Sleep(time.Minute)
		}
		tellAll(t, refs[1], 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := sys.Stats().Restarts; n != 12 || len(gaveUp) != 0 {
			t.Errorf("%d restarts, gave up %v; want 6 of each", n, gaveUp)
		}
		tellAll(t, refs[0], 1) // one too many: both stop
		synctest.Wait()
		if !refs[0].Closed() || !refs[1].Closed() || len(gaveUp) != 2 || !slices.ContainsFunc(gaveUp, func(err error) bool { return errors.Is(err, errOops) }) {
			t.Errorf("gave up %v", gaveUp)
		}
		stopSystem(t, sys)
	})
}

// TestAllForOneStress: children that fail all the time and share it, while they are told and in the end
// stopped: accepted = handled + dead letters.
func TestAllForOneStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for range iterations(20) {
				stressAllForOne(t)
			}
		})
	})
}

func stressAllForOne(t testing.TB) {
	sys := newTestSystem(t, actor.SystemConfig{})
	supervision := &actor.Supervision{AllForOne: true, MaxRestarts: 60, Backoff: time.Nanosecond, MaxBackoff: time.Microsecond}
	var mu sync.Mutex
	handled := 0
	spawned := make(chan [3]actor.Ref[int])
	parent := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
		var refs [3]actor.Ref[int]
		for i := range refs {
			refs[i] = actor.SpawnChild(c, func(_ *actor.Context[int], m int) error {
				mu.Lock()
				handled++
				mu.Unlock()
				if m%5 == i {
					return errOops
				}
				return nil
			}, actor.Config{Supervision: supervision, MailboxCapacity: 8})
		}
		spawned <- refs
		return nil
	}, actor.Config{Blocking: true})
	tellAll(t, parent, 1)
	ctx, accepted := within(t), 0
	refs := <-spawned
	var wg sync.WaitGroup
	for _, ref := range refs {
		wg.Go(func() {
			n := 0
			for m := range 200 {
				if ref.TellWait(ctx, m) == nil {
					n++
				}
			}
			mu.Lock()
			accepted += n
			mu.Unlock()
		})
	}
	wg.Wait()
	stopSystem(t, sys)
	refused := 600 - accepted // each a dead letter too
	if got := handled + int(sys.Stats().DeadLetters) - refused; got != accepted {
		t.Fatalf("accepted %d, handled %d + dead letters %d - %d refused", accepted, handled, sys.Stats().DeadLetters, refused)
	}
}

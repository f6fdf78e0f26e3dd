package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/actor/registry"
)

func TestMain(m *testing.M) {
	// ants starts two goroutines of its own when it is imported.
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

func newSystem(t testing.TB) *actor.System {
	t.Helper()
	sys, err := actor.NewSystem(actor.SystemConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return sys
}

func stop(t testing.TB, sys *actor.System) {
	t.Helper()
	if err := sys.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func ignore(*actor.Context[int], int) error { return nil }

func newIgnore() func(*actor.Context[int], int) error { return ignore }

func Example() {
	sys, _ := actor.NewSystem(actor.SystemConfig{})
	names := registry.New(sys)
	newAccount := func() func(*actor.Context[int], int) error {
		balance := 0
		return func(_ *actor.Context[int], amount int) error {
			balance += amount
			fmt.Println("balance", balance)
			return nil
		}
	}
	cfg := actor.Config{PassivateAfter: time.Minute} // gone after a minute of silence, and made anew by the next Tell
	_ = registry.Tell(names, "account-7", 100, newAccount, cfg)
	_ = registry.Tell(names, "account-7", -30, newAccount, cfg)

	_, err := registry.Lookup[string](names, "account-7")
	fmt.Println(err)
	for _, a := range names.Actors() {
		fmt.Println(a.Name, a.Type, a.Capacity)
	}
	_ = sys.Stop(context.Background())
	fmt.Println(names.Len())
	// Unordered output:
	// balance 100
	// balance 70
	// registry: "account-7" takes messages of type int, not string
	// account-7 int 1024
	// 0
}

func TestNames(t *testing.T) {
	sys := newSystem(t)
	names := registry.New(sys)
	if _, err := registry.Lookup[int](names, "a"); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("Lookup of nothing: %v", err)
	}
	stops := 0
	a, err := registry.Spawn(names, "a", ignore, actor.Config{Name: "other", OnStop: func() { stops++ }})
	if err != nil || a.Name() != "a" {
		t.Fatalf("Spawn = %q, %v", a.Name(), err)
	}
	if _, err = registry.Spawn(names, "a", ignore, actor.Config{}); !errors.Is(err, registry.ErrTaken) || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("second Spawn: %v", err)
	}
	if _, err = registry.SpawnFunc(names, "b", newIgnore, actor.Config{}); err != nil {
		t.Error(err)
	}
	if got, err := registry.Lookup[int](names, "a"); got != a || err != nil {
		t.Errorf("Lookup = %v, %v", got, err)
	}
	if got, err := registry.GetOrSpawn(names, "a", newIgnore, actor.Config{}); got != a || err != nil {
		t.Errorf("GetOrSpawn = %v, %v", got, err)
	}
	var typeError *registry.TypeError
	if _, err = registry.Lookup[string](names, "a"); !errors.As(err, &typeError) || typeError.Is != "int" || typeError.Asked != "string" {
		t.Errorf("Lookup of another type: %v", err)
	}
	for _, name := range []string{"", strings.Repeat("x", registry.MaxName+1)} {
		if _, err = registry.Spawn(names, name, ignore, actor.Config{}); !errors.Is(err, registry.ErrBadName) {
			t.Errorf("Spawn with a name of %d: %v", len(name), err)
		}
		if _, err = registry.GetOrSpawn(names, name, newIgnore, actor.Config{}); !errors.Is(err, registry.ErrBadName) {
			t.Errorf("GetOrSpawn with a name of %d: %v", len(name), err)
		}
	}
	if all := names.Actors(); len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" || names.Len() != 2 {
		t.Errorf("Actors = %v", all)
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Lookup[int](names, "a"); !errors.Is(err, registry.ErrUnknown) || stops != 1 {
		t.Errorf("Lookup of a stopped one: %v; %d times OnStop", err, stops)
	}
	stop(t, sys)
	if names.Len() != 0 {
		t.Errorf("%d names after Stop", names.Len())
	}
	if _, err = registry.Spawn(names, "c", ignore, actor.Config{}); !errors.Is(err, registry.ErrStopped) {
		t.Errorf("Spawn after Stop: %v", err)
	}
	if err := registry.Tell(names, "c", 1, newIgnore, actor.Config{}); !errors.Is(err, registry.ErrStopped) {
		t.Errorf("Tell after Stop: %v", err)
	}
}

// TestRespawn: a passivated actor is made anew, with new state, and its name passes to the
// successor even while the predecessor still has something to do.
func TestRespawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newSystem(t)
		names := registry.New(sys)
		lives := 0
		newHandler := func() func(*actor.Context[int], int) error {
			lives++
			return ignore
		}
		cfg := actor.Config{PassivateAfter: time.Minute}
		for range 3 {
			if err := registry.Tell(names, "a", 1, newHandler, cfg); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if names.Len() != 0 {
				t.Errorf("%d names an hour later", names.Len())
			}
		}
		if lives != 3 {
			t.Errorf("%d lives, want 3", lives)
		}

		release := make(chan struct{})
		old, _ := registry.Spawn(names, "b", func(*actor.Context[int], int) error {
			<-release
			return nil
		}, actor.Config{})
		_ = old.Tell(1)
		old.Close()
		successor, err := registry.GetOrSpawn(names, "b", newIgnore, actor.Config{})
		if err != nil || successor == old {
			t.Fatalf("no successor: %v", err)
		}
		close(release)
		<-old.Stopped()
		if got, err := registry.Lookup[int](names, "b"); got != successor {
			t.Errorf("the predecessor took the name with it: %v", err)
		}
		stop(t, sys)
	})
}

// TestGetOrSpawnStress: callers that tell a few names at the same time, while the actors
// stop again and again and others list them: every message that was accepted is handled, no
// name has two actors that both take messages, and none is left in the end.
func TestGetOrSpawnStress(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 300
	}
	sys := newSystem(t)
	names := registry.New(sys)
	var handled, accepted atomic.Int64
	newHandler := func() func(*actor.Context[int], int) error {
		n := 0
		return func(c *actor.Context[int], _ int) error {
			handled.Add(1)
			if n++; n == 5 {
				c.Stop()
			}
			return nil
		}
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range rounds {
				switch err := registry.Tell(names, fmt.Sprint("actor-", (i+g)%3), i, newHandler, actor.Config{}); err {
				case nil:
					accepted.Add(1)
				case mailbox.ErrFull, mailbox.ErrClosed:
				default:
					t.Error(err)
				}
				if i%50 == 0 {
					seen := map[string]bool{}
					for _, a := range names.Actors() {
						if seen[a.Name] {
							t.Errorf("%s is listed twice", a.Name)
						}
						seen[a.Name] = true
					}
				}
			}
		})
	}
	wg.Wait()
	stop(t, sys)
	if handled.Load() != accepted.Load() {
		t.Errorf("accepted %d, handled %d", accepted.Load(), handled.Load())
	}
	if names.Len() != 0 {
		t.Errorf("%d names are left", names.Len())
	}
}

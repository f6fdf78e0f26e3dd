package actortest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/actor/actortest"
)

func TestMain(m *testing.M) {
	// ants starts two goroutines of its own when it is imported.
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

func newSystem(t testing.TB, cfg actor.SystemConfig) *actor.System {
	t.Helper()
	sys, err := actor.NewSystem(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return sys
}

// exampleT stands for a test's *testing.T, which an example does not have.
type exampleT struct{ testing.TB }

func (exampleT) Helper()        {}
func (exampleT) Name() string   { return "example" }
func (exampleT) Cleanup(func()) {}
func (exampleT) Fatalf(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}

type request struct {
	name    string
	replyTo actor.Ref[string]
}

func ExampleProbe() {
	var t exampleT // the test's own
	sys, _ := actor.NewSystem(actor.SystemConfig{})
	greeter := actor.Spawn(sys, func(c *actor.Context[request], m request) error {
		return m.replyTo.TellFrom(c, "hello "+m.name)
	}, actor.Config{})

	probe := actortest.NewProbe[string](t, sys)
	_ = greeter.Tell(request{"Ada", probe.Ref()})
	fmt.Println(probe.Expect(time.Second))
	probe.ExpectNone(time.Millisecond)
	_ = sys.Stop(context.Background())
	// Output: hello Ada
}

// An hour passes at once, outside synctest too.
func ExampleClock() {
	var t exampleT // the test's own
	clock := actortest.NewClock()
	sys, _ := actor.NewSystem(actor.SystemConfig{Clock: clock})
	probe := actortest.NewProbe[string](t, sys)
	alarm := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		if m == "set" {
			c.After(time.Hour, "ring")
		}
		return probe.Ref().TellFrom(c, m)
	}, actor.Config{})
	_ = alarm.Tell("set")
	fmt.Println(probe.Expect(time.Second))
	clock.Advance(time.Hour)
	fmt.Println(probe.Expect(time.Second))
	_ = sys.Stop(context.Background())
	// Output:
	// set
	// ring
}

// TestClockDrivesActors: ticks, a back-off and passivation pass with the clock, and not without.
func TestClockDrivesActors(t *testing.T) {
	clock := actortest.NewClock()
	sys := newSystem(t, actor.SystemConfig{Clock: clock})
	probe := actortest.NewProbe[string](t, sys)
	ticker := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		if m == "start" {
			c.Every(time.Minute, "tick")
		}
		return probe.Ref().TellFrom(c, m)
	}, actor.Config{})
	_ = ticker.Tell("start")
	probe.Expect(10 * time.Second)
	for range 3 {
		clock.Advance(time.Minute)
		if m := probe.Expect(10 * time.Second); m != "tick" {
			t.Fatalf("got %q", m)
		}
	}

	failing := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		_ = probe.Ref().TellFrom(c, m)
		return errors.New(m)
	}, actor.Config{Supervision: &actor.Supervision{Backoff: 30 * time.Second, MaxBackoff: time.Hour}})
	waiting := clock.Waiting()
	_ = failing.Tell("one")
	_ = failing.Tell("two")
	if m := probe.Expect(10 * time.Second); m != "one" {
		t.Fatalf("got %q", m)
	}
	for clock.Waiting() == waiting { // the back-off begins after the handler has told the probe
		goruntime.Gosched()
	}
	clock.Advance(30 * time.Second)
	if m := probe.Expect(10 * time.Second); m != "two" {
		t.Fatalf("got %q", m)
	}

	idler := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{PassivateAfter: time.Hour})
	clock.Advance(time.Hour - time.Minute)
	if idler.Closed() {
		t.Error("passivated too soon")
	}
	clock.Advance(time.Hour)
	actortest.ExpectStopped(t, idler, 10*time.Second)
}

func TestClockOrder(t *testing.T) {
	clock := actortest.NewClock()
	var got []string
	start := clock.Now()
	say := func(s string) func() {
		return func() { got = append(got, fmt.Sprint(s, clock.Now().Sub(start))) }
	}
	clock.AfterFunc(3*time.Second, say("c"))
	clock.AfterFunc(1*time.Second, func() { say("a")(); clock.AfterFunc(time.Second, say("b")) })
	stopped := clock.AfterFunc(1*time.Second, say("never"))
	moved := clock.AfterFunc(1*time.Second, say("d"))
	if !stopped.Stop() || stopped.Stop() || !moved.Reset(4*time.Second) {
		t.Error("Stop and Reset answer whether the timer was armed")
	}
	clock.AfterFunc(time.Hour, say("later"))
	clock.Advance(10 * time.Second)
	if want := []string{"a1s", "b2s", "c3s", "d4s"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if clock.Waiting() != 1 || clock.Now().Sub(start) != 10*time.Second+time.Microsecond {
		t.Errorf("%d waiting, at %v", clock.Waiting(), clock.Now().Sub(start))
	}
}

// TestProbeInABubble: waiting takes no real time, and none of the test's own when the message is there.
func TestProbeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newSystem(t, actor.SystemConfig{})
		probe := actortest.NewProbe[int](t, sys)
		ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
			c.After(time.Hour, m+1)
			return probe.Ref().TellFrom(c, m)
		}, actor.Config{PassivateAfter: 24 * time.Hour})
		_ = ref.Tell(1)
		if m := probe.Expect(time.Minute); m != 1 {
			t.Errorf("got %d", m)
		}
		probe.ExpectNone(59 * time.Minute)
		probe.ExpectThat(2*time.Minute, func(m int) bool { return m == 2 })
		ref.Close()
		actortest.ExpectStopped(t, ref, time.Minute)
	})
}

// recorder stands for a test that fails.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	goruntime.Goexit()
}

// TestProbeFails: what is not as expected ends the test with a message.
func TestProbeFails(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	for want, check := range map[string]func(testing.TB, *actortest.Probe[int]){
		"no message within 1ms": func(_ testing.TB, p *actortest.Probe[int]) { p.Expect(time.Millisecond) },
		"got 7, want no message": func(_ testing.TB, p *actortest.Probe[int]) {
			_ = p.Ref().Tell(7)
			p.ExpectNone(10 * time.Second)
		},
		"got 8, which is not": func(_ testing.TB, p *actortest.Probe[int]) {
			_ = p.Ref().Tell(8)
			p.ExpectThat(10*time.Second, func(int) bool { return false })
		},
		"has not stopped within 1ms: idle": func(t testing.TB, p *actortest.Probe[int]) {
			actortest.ExpectStopped(t, actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{}), time.Millisecond)
		},
	} {
		r := &recorder{TB: t}
		probe := actortest.NewProbe[int](r, sys)
		var wg sync.WaitGroup
		wg.Go(func() { check(r, probe) })
		wg.Wait()
		if !strings.Contains(r.failed, want) {
			t.Errorf("failed with %q, want %q", r.failed, want)
		}
	}
}

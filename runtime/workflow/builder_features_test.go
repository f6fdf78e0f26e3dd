package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

func even(_ context.Context, n int) (int, error) {
	if n%2 == 1 {
		return 0, errOdd
	}
	return n, nil
}

func mustBuild[I, O any](t testing.TB, b *workflow.Builder[I], out workflow.Step[O]) *workflow.Definition[I, O] {
	t.Helper()
	def, err := workflow.Build(b, out)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// TestConditions: When, Case and Otherwise choose, and the join takes what is there.
func TestConditions(t *testing.T) {
	b := workflow.New[int]("w")
	size := workflow.Task(b, "size", func(_ context.Context, n int) (string, error) {
		return map[bool]string{true: "big", false: "small"}[n > 10], nil
	}, b.Input())
	other := workflow.Task(b, "other", double, b.Input(), workflow.Otherwise(size)) // declared before the cases
	big := workflow.Task(b, "big", double, b.Input(), workflow.Case(size, "big", "huge"),
		workflow.When(b.Input(), func(n int) bool { return n != 13 }), workflow.When(b.Input(), func(n int) bool { return n != 14 }))
	first := func(_ context.Context, a, b int) (int, error) { return max(a, b), nil }
	out := workflow.Task2(b, "out", first, big, other, workflow.TriggerOn(workflow.AnySucceeded))
	def := mustBuild(t, b, out)
	for input, want := range map[int]string{
		5: "10 [succeeded succeeded skipped succeeded]", 12: "24 [succeeded skipped succeeded succeeded]",
		13: "0 [succeeded skipped skipped skipped]", 14: "0 [succeeded skipped skipped skipped]",
	} {
		got, r, err := execute(t.Context(), def.Plan(), input)
		if err != nil || fmt.Sprint(got, r.status) != want {
			t.Errorf("%d: %v %v, %v; want %s", input, got, r.status, err, want)
		}
	}
}

// TestOutcome: a task sees how another one ended, and decides by it.
func TestOutcome(t *testing.T) {
	b := workflow.New[int]("w")
	a := workflow.Task(b, "a", even, b.Input(), workflow.MayFail())
	say := func(_ context.Context, r workflow.Result[int]) (string, error) {
		return fmt.Sprint(r.Value, r.Status, r.Err, r.OK()), nil
	}
	told := workflow.Task(b, "told", say, workflow.Outcome(a), workflow.TriggerOn(workflow.AllDone))
	workflow.Task(b, "alarm", say, workflow.Outcome(a), workflow.TriggerOn(workflow.AllDone),
		workflow.When(workflow.Outcome(a), func(r workflow.Result[int]) bool { return errors.Is(r.Err, errOdd) }))
	def := mustBuild(t, b, told)
	for input, want := range map[int]string{4: "4 succeeded <nil> true skipped", 3: "0 failed odd false succeeded"} {
		got, r, err := execute(t.Context(), def.Plan(), input)
		if err != nil || fmt.Sprint(got, " ", r.statusOf("alarm")) != want {
			t.Errorf("%d: %v %v, %v; want %s", input, got, r.status, err, want)
		}
	}
}

func TestMapResults(t *testing.T) {
	b := workflow.New[[]int]("w")
	def := mustBuild(t, b, workflow.MapResults(b, "m", even, b.Input(), workflow.Limit(2)))
	got, _, err := execute(t.Context(), def.Plan(), []int{1, 2})
	list, _ := got.([]workflow.Result[int])
	if err != nil || len(list) != 2 || !errors.Is(list[0].Err, errOdd) || list[0].OK() || list[1] != (workflow.Result[int]{Value: 2, Status: workflow.StatusSucceeded}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRepeat(t *testing.T) {
	b := workflow.New[int]("w")
	def := mustBuild(t, b, workflow.Repeat(b, "r", double, b.Input(), func(n int) bool { return n >= 100 }, 5, workflow.RepeatWait(time.Second)))
	if got, _, err := execute(t.Context(), def.Plan(), 5); got != 160 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if _, _, err := execute(t.Context(), def.Plan(), 1); !errors.Is(err, workflow.ErrRepeatLimit) {
		t.Errorf("%v", err)
	}
	if r := def.Plan().Tasks[0].Repeat; r.Wait != time.Second || r.Max != 5 {
		t.Errorf("%+v", r)
	}
}

func TestSub(t *testing.T) {
	inner := workflow.New[int]("inner")
	in := mustBuild(t, inner, workflow.Task(inner, "x", double, inner.Input()))
	b := workflow.New[int]("w")
	once := workflow.Sub(b, "once", in, b.Input())
	list := workflow.Task(b, "list", func(_ context.Context, n int) ([]int, error) { return []int{n, n + 1}, nil }, once)
	def := mustBuild(t, b, workflow.MapSub(b, "each", in, list, workflow.Limit(1)))
	if got, _, err := execute(t.Context(), def.Plan(), 3); fmt.Sprint(got) != "[12 14]" || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	checkPlan(t, def.Plan())
}

// TestCompensateOption: it is given what the task returned.
func TestCompensateOption(t *testing.T) {
	b := workflow.New[int]("w", workflow.OnFailure(workflow.Continue), workflow.RunTimeout(time.Minute))
	var undone []int
	a := workflow.Task(b, "a", double, b.Input(), workflow.Compensate(func(_ context.Context, n int) error {
		undone = append(undone, n)
		return nil
	}))
	def := mustBuild(t, b, workflow.Task(b, "fail", func(context.Context, int) (int, error) { return 0, errOdd }, a))
	_, _, err := execute(t.Context(), def.Plan(), 4)
	if !errors.Is(err, errOdd) || fmt.Sprint(undone) != "[8]" {
		t.Errorf("undone %v, %v", undone, err)
	}
	if p := def.Plan(); p.CompensateTimeout != workflow.DefaultCompensateTimeout || p.OnFailure != workflow.Continue || p.Timeout != time.Minute {
		t.Errorf("%+v", p)
	}
}

type order struct {
	ID    string
	Items []item
	Notes map[string]*float64
	at    time.Time
	any   any
}

type item struct{ N int }

// TestCacheKeys: equal arguments have one key, whatever they are made of, and others
// have others.
func TestCacheKeys(t *testing.T) {
	b := workflow.New[order]("w")
	count := func(_ context.Context, o order) (int, error) { return len(o.Items), nil }
	def := mustBuild(t, b, workflow.Task(b, "c", count, b.Input(), workflow.Cache(time.Minute)))
	key := func(o order) string {
		k, err := def.Plan().Tasks[0].Cache.Key(workflow.Inputs{Input: o})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	when := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	make := func() order {
		x, y := 1.5, 2.5
		return order{"a", []item{{1}, {2}}, map[string]*float64{"x": &x, "y": &y}, when, "s"}
	}
	if one, another := key(make()), key(make()); one != another {
		t.Error("equal orders have different keys")
	}
	seen := map[string]string{}
	for name, change := range map[string]func(*order){
		"nothing": func(*order) {}, "id": func(o *order) { o.ID = "b" }, "item": func(o *order) { o.Items[1].N = 3 },
		"length": func(o *order) { o.Items = o.Items[:1] }, "note": func(o *order) { *o.Notes["x"] = 9 }, "nil note": func(o *order) { o.Notes["x"] = nil },
		"time": func(o *order) { o.at = o.at.Add(1) }, "type": func(o *order) { o.any = []byte("s") }, "no value": func(o *order) { o.any = nil },
	} {
		o := make()
		change(&o)
		if other, ok := seen[key(o)]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[key(o)] = name
	}
	type node struct{ next *node }
	loop := &node{}
	loop.next = loop
	if _, err := workflow.StableHash([]any{loop}); err == nil {
		t.Error("a value that holds itself has a key")
	}
	if a, _ := workflow.StableHash([]any{"ab", "c"}); a == func() string { b, _ := workflow.StableHash([]any{"a", "bc"}); return b }() {
		t.Error("arguments run together")
	}
}

// TestPolicyOptions: they go into the plan.
func TestPolicyOptions(t *testing.T) {
	br, _ := breaker.New(breaker.Config{})
	rate, _ := limit.NewRate(limit.RateConfig{PerSecond: 1})
	places, _ := limit.NewConcurrency(2)
	b := workflow.New[int]("w")
	name := func(n int) string { return fmt.Sprint("k", n) }
	def := mustBuild(t, b, workflow.Task(b, "a", double, b.Input(), workflow.Breaker(br), workflow.RateLimit(rate), workflow.ConcurrencyBy(b.Input(), places, name),
		workflow.CacheBy(b.Input(), time.Hour, name), workflow.Priority(workflow.High), workflow.Inline(), workflow.HeartbeatTimeout(time.Second)))
	a := def.Plan().Tasks[0]
	in := workflow.Inputs{Input: 7}
	key, err := a.Concurrency.Key(in)
	cached, err2 := a.Cache.Key(in)
	if a.Breaker != br || a.RateLimit != rate || a.Concurrency.Limit != places || key != "k7" || cached != "k7" || err != nil || err2 != nil ||
		a.Cache.TTL != time.Hour || a.Level != workflow.High || !a.Inline || a.Heartbeat != time.Second {
		t.Errorf("%+v", a)
	}
}

// TestOptionErrors: what the compiler cannot see Build tells.
func TestOptionErrors(t *testing.T) {
	b := workflow.New[int]("w", nil, workflow.OnFailure(9), workflow.RunTimeout(-1), workflow.CompensateTimeout(-1))
	foreign := workflow.New[int]("other").Input()
	var none *workflow.Definition[int, int]
	text := func(_ context.Context, f func()) (int, error) { return 0, nil }
	funcs := workflow.Task(b, "funcs", func(context.Context, int) (func(), error) { return nil, nil }, b.Input())
	workflow.Task(b, "cond", double, b.Input(), workflow.When[int](b.Input(), nil), workflow.When(foreign, func(int) bool { return true }),
		workflow.Case(b.Input()), workflow.TriggerOn(9), workflow.Priority(0))
	workflow.Task(b, "undo", double, b.Input(), workflow.Compensate(func(context.Context, string) error { return nil }), workflow.Compensate[int](nil))
	workflow.Task(b, "keep", text, funcs, workflow.Cache(-1), workflow.CacheBy(b.Input(), 0, (func(int) string)(nil)))
	workflow.Task(b, "policy", double, b.Input(), workflow.Breaker(nil), workflow.RateLimit((*limit.Rate)(nil)), workflow.Concurrency(nil), workflow.RepeatWait(1), workflow.Limit(1))
	workflow.Sub(b, "sub", none, b.Input(), workflow.Inline())
	out := workflow.Repeat(b, "loop", double, b.Input(), nil, 0)
	_, err := workflow.Build(b, workflow.Outcome(out))
	for _, want := range []string{
		"workflow w: option 1 of workflow.New is nil: leave it out",
		"workflow w: OnFailure(9) is no policy: pass FailFast or Continue",
		"workflow w: RunTimeout(-1ns) is negative",
		"workflow w: CompensateTimeout(-1ns) is negative",
		"workflow w: the output passed to Build is an Outcome: pass the step of a task that takes the Outcome",
		"task cond: the condition of When is nil",
		"task cond: the step of When, the input, belongs to another workflow, other",
		"task cond: Case has no values",
		"task cond: TriggerOn(9) is no trigger",
		"task cond: Priority(default) is not a level",
		"task undo: Compensate takes string, and the task returns int: pass a function that takes int",
		"task undo: the function of Compensate is nil",
		"task keep: Cache: argument 1, func(), holds a func: give a key with CacheBy",
		"task keep: Cache(-1ns) is negative",
		"task keep: the key of CacheBy is nil",
		"task policy: Breaker(nil) has no policy", "task policy: RateLimit(nil) has no policy", "task policy: Concurrency(nil) has no policy",
		"task policy: RepeatWait(1ns) is set on a task that does not repeat",
		"task policy: Limit(1) is set on a task that is not a Map",
		"task sub: its workflow is nil",
		"task loop: the condition of Repeat is nil",
		"task loop: Repeat has a bound of 0: give a number from 1 to 1048576",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// ExampleOutcome lets a run survive a failure and another task take its place.
func ExampleOutcome() {
	b := workflow.New[string]("lookup")
	remote := workflow.Task(b, "remote", func(context.Context, string) (string, error) { return "", errors.New("no route") }, b.Input(), workflow.MayFail())
	local := workflow.Task2(b, "local", func(_ context.Context, key string, r workflow.Result[string]) (string, error) {
		if r.OK() {
			return r.Value, nil
		}
		return fmt.Sprintf("%s from disk, because of: %v", key, r.Err), nil
	}, b.Input(), workflow.Outcome(remote), workflow.TriggerOn(workflow.AllDone))
	_, err := workflow.Build(b, local)
	fmt.Println(err)
	// Output: <nil>
}

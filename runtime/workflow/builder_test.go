package workflow_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

type (
	Order   struct{ User, Basket string }
	User    struct{ Name string }
	Item    string
	Money   int
	Receipt struct {
		User  string
		Total Money
	}
)

func LoadUser(_ context.Context, o Order) (User, error) { return User{o.User}, nil }

func LoadItems(_ context.Context, o Order) ([]Item, error) {
	var items []Item
	for name := range strings.FieldsSeq(o.Basket) {
		items = append(items, Item(name))
	}
	return items, nil
}

func PriceItem(_ context.Context, i Item) (Money, error) { return Money(len(i)), nil }

func Charge(_ context.Context, u User, prices []Money) (Receipt, error) {
	r := Receipt{User: u.Name}
	for _, p := range prices {
		r.Total += p
	}
	return r, nil
}

func SendMail(_ context.Context, r Receipt) (string, error) {
	return fmt.Sprintf("%s pays %d", r.User, r.Total), nil
}

// checkout is the example of the package's users: all kinds of tasks and edges.
func checkout() (*workflow.Definition[Order, string], error) {
	b := workflow.New[Order]("checkout")
	user := workflow.Task(b, "user", LoadUser, b.Input())
	items := workflow.Task(b, "items", LoadItems, b.Input())
	price := workflow.Map(b, "price", PriceItem, items, workflow.Limit(16))
	pay := workflow.Task2(b, "charge", Charge, user, price,
		workflow.Timeout(2*time.Second),
		workflow.Retry(retry.Exponential{MaxAttempts: 5, Base: 50 * time.Millisecond, Max: 2 * time.Second, Jitter: 0.2}))
	mail := workflow.Task(b, "mail", SendMail, pay, workflow.After(items))
	return workflow.Build(b, mail)
}

func Example() {
	b := workflow.New[Order]("checkout")
	user := workflow.Task(b, "user", LoadUser, b.Input())
	items := workflow.Task(b, "items", LoadItems, b.Input())
	prices := workflow.Map(b, "price", PriceItem, items, workflow.Limit(16))
	receipt := workflow.Task2(b, "charge", Charge, user, prices, workflow.Timeout(2*time.Second))
	def, err := workflow.Build(b, receipt)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range def.Plan().Tasks {
		fmt.Println(t.Name, "waits for", t.Deps)
	}
	// Output:
	// user waits for []
	// items waits for []
	// price waits for [1]
	// charge waits for [0 2]
}

// interpret runs a plan's tasks one after the other, in declaration order, and
// returns the plan's output. It is the plainest engine that a plan can have.
func interpret(ctx context.Context, p *workflow.Plan, input any) (any, error) {
	if p.CheckInput != nil {
		if err := p.CheckInput(input); err != nil {
			return nil, err
		}
	}
	in := workflow.Inputs{Input: input, Results: make([]any, len(p.Tasks))}
	for _, i := range inOrder(p) {
		result, err := runTask(ctx, &p.Tasks[i], in)
		if err != nil {
			return nil, &workflow.TaskError{Workflow: p.Name, Task: p.Tasks[i].Name, Attempt: 1, Err: err}
		}
		in.Results[i] = result
	}
	return p.Output(input, in.Results)
}

func runTask(ctx context.Context, t *workflow.TaskPlan, in workflow.Inputs) (any, error) {
	if t.Run != nil {
		return t.Run(ctx, in)
	}
	items, err := t.Expand(in)
	if err != nil {
		return nil, err
	}
	for i := range items.Len {
		if err := items.Run(ctx, i); err != nil {
			return nil, err
		}
	}
	return items.Result(), nil
}

// inOrder sorts the tasks by visiting each one's dependencies first.
func inOrder(p *workflow.Plan) []int {
	var order []int
	seen := make([]bool, len(p.Tasks))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		for _, d := range p.Tasks[i].Deps {
			visit(int(d))
		}
		order = append(order, i)
	}
	for i := range p.Tasks {
		visit(i)
	}
	return order
}

func TestCheckout(t *testing.T) {
	def, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	p := def.Plan()
	if def.Name() != "checkout" || p.Name != "checkout" || !slices.Equal(p.Roots, []int32{0, 1}) {
		t.Errorf("name %q, plan %q, roots %v", def.Name(), p.Name, p.Roots)
	}
	want := []struct {
		name        string
		deps, succs []int32
		rank        float64
	}{
		{"user", nil, []int32{3}, 3},
		{"items", nil, []int32{2, 4}, 4},
		{"price", []int32{1}, []int32{3}, 3},
		{"charge", []int32{0, 2}, []int32{4}, 2},
		{"mail", []int32{1, 3}, nil, 1},
	}
	for i, w := range want {
		got := &p.Tasks[i]
		if got.Name != w.name || !slices.Equal(got.Deps, w.deps) || !slices.Equal(got.Succs, w.succs) || got.Rank != w.rank {
			t.Errorf("task %d is %s, deps %v, succs %v, rank %v; want %v", i, got.Name, got.Deps, got.Succs, got.Rank, w)
		}
	}
	if c := p.Tasks[3]; c.Timeout != 2*time.Second || c.Retry == nil || p.Tasks[2].Limit != 16 {
		t.Errorf("options are lost: %+v", c)
	}
	out, err := interpret(t.Context(), p, Order{"Ada", "tea bread"})
	if out != "Ada pays 8" || err != nil {
		t.Errorf("output %v, %v", out, err)
	}
	if _, path := p.CriticalPath(func(int) time.Duration { return time.Second }); !slices.Equal(path, []int{1, 2, 3, 4}) {
		t.Errorf("critical path %v", path)
	}
}

// TestNilValues: nil results of all kinds arrive as the nil of their type.
func TestNilValues(t *testing.T) {
	b := workflow.New[error]("nils")
	p := workflow.Task(b, "pointer", func(context.Context, error) (*User, error) { return nil, nil }, b.Input())
	i := workflow.Task(b, "interface", func(_ context.Context, u *User) (fmt.Stringer, error) { return nil, nil }, p)
	l := workflow.Task2(b, "list", func(_ context.Context, u *User, s fmt.Stringer) ([]Item, error) {
		if u != nil || s != nil {
			return nil, fmt.Errorf("got %v and %v", u, s)
		}
		return nil, nil
	}, p, i)
	m := workflow.Map(b, "map", PriceItem, l)
	last := workflow.Task3(b, "last", func(_ context.Context, e error, s fmt.Stringer, prices []Money) (error, error) {
		if e != nil || s != nil || prices == nil || len(prices) != 0 {
			return nil, fmt.Errorf("got %v, %v and %#v", e, s, prices)
		}
		return nil, nil
	}, b.Input(), i, m)
	def, err := workflow.Build(b, last)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := interpret(t.Context(), def.Plan(), nil); out != nil || err != nil {
		t.Errorf("output %v, %v", out, err)
	}
}

func TestInputAsOutput(t *testing.T) {
	b := workflow.New[int]("echo")
	ran := false
	workflow.Task(b, "aside", func(context.Context, int) (int, error) { ran = true; return 0, nil }, b.Input())
	def, err := workflow.Build(b, b.Input())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := interpret(t.Context(), def.Plan(), 7); out != 7 || err != nil || !ran {
		t.Errorf("output %v, %v, aside ran: %t", out, err, ran)
	}
}

// TestBuildTwice: a definition is not changed by what its builder does later.
func TestBuildTwice(t *testing.T) {
	b := workflow.New[Order]("grows")
	user := workflow.Task(b, "user", LoadUser, b.Input())
	first, err := workflow.Build(b, user)
	if err != nil {
		t.Fatal(err)
	}
	items := workflow.Task(b, "items", LoadItems, b.Input(), workflow.After(user))
	second, err := workflow.Build(b, items)
	if err != nil {
		t.Fatal(err)
	}
	if p := first.Plan(); len(p.Tasks) != 1 || len(p.Tasks[0].Succs) != 0 {
		t.Errorf("first plan: %+v", p.Tasks)
	}
	if p := second.Plan(); len(p.Tasks) != 2 || len(p.Tasks[0].Succs) != 1 {
		t.Errorf("second plan: %+v", p.Tasks)
	}
}

// TestMapAttempts: an abandoned attempt that ends late changes nothing.
func TestMapAttempts(t *testing.T) {
	b := workflow.New[[]int]("list")
	result := 1
	def, err := workflow.Build(b, workflow.Map(b, "square", func(_ context.Context, n int) (int, error) {
		if n < 0 {
			return 0, errors.New("negative")
		}
		return n * result, nil
	}, b.Input()))
	if err != nil {
		t.Fatal(err)
	}
	items, err := def.Plan().Tasks[0].Expand(workflow.Inputs{Input: []int{5, -1}})
	if err != nil || items.Len != 2 {
		t.Fatalf("%d items, %v", items.Len, err)
	}
	if err := items.Run(t.Context(), 1); err == nil || err.Error() != "negative" {
		t.Errorf("item 1: %v", err)
	}
	for range 2 {
		if err := items.Run(t.Context(), 0); err != nil {
			t.Error(err)
		}
		result++
	}
	if got := items.Result().([]int); got[0] != 5 {
		t.Errorf("results %v", got)
	}
}

// TestMapConcurrently: items run at the same time, abandoned attempts of them
// too, and even those that end after the results were handed on race with
// nobody. The race detector is the judge.
func TestMapConcurrently(t *testing.T) {
	b := workflow.New[[]int]("list")
	late := make(chan struct{})
	var attempts atomic.Int32
	def, err := workflow.Build(b, workflow.Map(b, "square", func(_ context.Context, n int) (int, error) {
		if attempts.Add(1) == 1 { // ignores its timeout
			<-late
			return -1, nil
		}
		return n * n, nil
	}, b.Input()))
	if err != nil {
		t.Fatal(err)
	}
	items, err := def.Plan().Tasks[0].Expand(workflow.Inputs{Input: []int{0, 1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	run := func(i int) {
		if err := items.Run(context.Background(), i); err != nil {
			t.Error(err)
		}
	}
	var abandoned, rest sync.WaitGroup
	abandoned.Go(func() { run(2) })
	for attempts.Load() == 0 {
		goruntime.Gosched()
	}
	for i := range items.Len {
		rest.Go(func() { run(i) })
	}
	rest.Wait()
	results := items.Result().([]int)
	close(late)
	if !slices.Equal(results, []int{0, 1, 4, 9}) {
		t.Errorf("results %v", results)
	}
	abandoned.Wait()
	if results[2] != 4 {
		t.Errorf("a late attempt changed the result to %d", results[2])
	}
}

// badPolicy is a policy whose nil pointer would panic when asked.
type badPolicy struct{ wait time.Duration }

func (p *badPolicy) Next(int, time.Duration, error) (time.Duration, bool) { return p.wait, true }

// TestBuildErrors: every misuse is reported by Build, with place and cure.
func TestBuildErrors(t *testing.T) {
	type builder = workflow.Builder[Order]
	var noFunc func(context.Context, Order) (User, error)
	other := workflow.New[Order]("other")
	foreign := workflow.Task(other, "stranger", LoadUser, other.Input())
	user := func(b *builder, opts ...workflow.Option) workflow.Step[User] {
		return workflow.Task(b, "user", LoadUser, b.Input(), opts...)
	}
	for _, test := range []struct {
		name  string
		build func(b *builder) workflow.Step[User]
		is    error
		want  string
	}{
		{"no tasks", func(b *builder) workflow.Step[User] { return foreign }, workflow.ErrNoTasks,
			"workflow w: it has no task: add one with workflow.Task or workflow.Map\n" +
				"workflow w: the output passed to Build, task stranger, belongs to another workflow, other: pass a Step of this workflow"},
		{"zero output", func(b *builder) workflow.Step[User] { user(b); return workflow.Step[User]{} }, workflow.ErrForeignStep,
			"workflow w: the output passed to Build is the zero Step: pass a Step that this workflow's Input, Task or Map returned"},
		{"zero argument", func(b *builder) workflow.Step[User] {
			return workflow.Task(b, "user", LoadUser, workflow.Step[Order]{})
		}, workflow.ErrForeignStep,
			"workflow w, task user: argument 1 is the zero Step: pass a Step that this workflow's Input, Task or Map returned"},
		{"foreign input", func(b *builder) workflow.Step[User] {
			return workflow.Task(b, "user", LoadUser, other.Input())
		}, workflow.ErrForeignStep,
			"workflow w, task user: argument 1, the input, belongs to another workflow, other: pass a Step of this workflow"},
		{"foreign after", func(b *builder) workflow.Step[User] { return user(b, workflow.After(b.Input(), foreign)) }, workflow.ErrForeignStep,
			"workflow w, task user: step 2 of After, task stranger, belongs to another workflow, other: pass a Step of this workflow"},
		{"nil after", func(b *builder) workflow.Step[User] {
			return user(b, workflow.After(nil, (*workflow.Step[int])(nil)))
		}, workflow.ErrForeignStep,
			"workflow w, task user: step 1 of After is nil: leave it out, or pass a Step of this workflow\n" +
				"workflow w, task user: step 2 of After is nil: leave it out, or pass a Step of this workflow"},
		{"nil function", func(b *builder) workflow.Step[User] { return workflow.Task(b, "user", noFunc, b.Input()) }, workflow.ErrNilFunc,
			"workflow w, task user: its function is nil: pass a func(context.Context, A) (B, error)"},
		{"empty name", func(b *builder) workflow.Step[User] { return workflow.Task(b, "", LoadUser, b.Input()) }, workflow.ErrBadName,
			"workflow w: the name of task number 1 is empty: give it a printable name of 1 to 256 bytes without surrounding spaces"},
		{"control character", func(b *builder) workflow.Step[User] { return workflow.Task(b, "a\nb", LoadUser, b.Input()) }, workflow.ErrBadName,
			"workflow w, task \"a\\nb\": the name of task number 1 \"a\\nb\" holds a character that cannot be printed: give it a printable name of 1 to 256 bytes without surrounding spaces"},
		{"duplicate", func(b *builder) workflow.Step[User] { user(b); return user(b) }, workflow.ErrDuplicateTask,
			"workflow w, task user: tasks number 1 and 2 both have this name: give each task its own name"},
		{"negative timeouts", func(b *builder) workflow.Step[User] {
			return user(b, workflow.Timeout(-time.Second), workflow.TaskTimeout(-time.Minute))
		}, workflow.ErrBadOption,
			"workflow w, task user: Timeout(-1s) is negative: give a positive duration, or leave the option out\n" +
				"workflow w, task user: TaskTimeout(-1m0s) is negative: give a positive duration, or leave the option out"},
		{"limit of a task", func(b *builder) workflow.Step[User] { return user(b, workflow.Limit(3)) }, workflow.ErrBadOption,
			"workflow w, task user: Limit(3) is set on a task that is not a Map: leave the option out, or declare the task with workflow.Map"},
		{"negative limit", func(b *builder) workflow.Step[User] {
			items := workflow.Task(b, "items", LoadItems, b.Input())
			workflow.Map(b, "price", PriceItem, items, workflow.Limit(-1))
			return user(b)
		}, workflow.ErrBadOption,
			"workflow w, task price: Limit(-1) is negative: give a positive number, or leave the option out"},
		{"nil policies", func(b *builder) workflow.Step[User] {
			return user(b, workflow.Retry(nil), workflow.Retry((*badPolicy)(nil)))
		}, workflow.ErrBadOption,
			"workflow w, task user: Retry(nil) has no policy: pass a policy such as retry.Exponential{}, or leave the option out\n" +
				"workflow w, task user: Retry(nil) has no policy: pass a policy such as retry.Exponential{}, or leave the option out"},
		{"invalid policy", func(b *builder) workflow.Step[User] {
			return user(b, workflow.Retry(retry.Exponential{MaxAttempts: -2, Jitter: 7}))
		}, workflow.ErrBadOption,
			"workflow w, task user: Retry(retry.Exponential): negative MaxAttempts -2; want 0 (the default) or more; out-of-range Jitter 7; want 0 to 1: correct the policy"},
		{"nil option", func(b *builder) workflow.Step[User] { return user(b, nil) }, workflow.ErrBadOption,
			"workflow w, task user: option 1 is nil: leave it out"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := workflow.New[Order]("w")
			def, err := workflow.Build(b, test.build(b))
			if def != nil || err == nil || !errors.Is(err, test.is) || err.Error() != test.want {
				t.Errorf("Build:\n%v\nwant\n%s", err, test.want)
			}
			if _, ok := errors.AsType[*workflow.DefinitionError](err); !ok {
				t.Errorf("%T holds no *DefinitionError", err)
			}
		})
	}
}

func TestBuildNilBuilder(t *testing.T) {
	var none *workflow.Builder[Order]
	step := workflow.Task(none, "user", LoadUser, none.Input())
	_, err := workflow.Build(none, step)
	if want := "workflow: Build got a nil *Builder: make one with workflow.New"; err == nil || err.Error() != want {
		t.Errorf("Build(nil) = %v", err)
	}
	var zero workflow.Builder[Order]
	_, err = workflow.Build(&zero, workflow.Task(&zero, "user", LoadUser, zero.Input()))
	if !errors.Is(err, workflow.ErrBadName) {
		t.Errorf("Build of a builder without a name: %v", err)
	}
}

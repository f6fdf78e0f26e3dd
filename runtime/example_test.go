package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func split(_ context.Context, s string) ([]string, error) { return strings.Fields(s), nil }
func upper(_ context.Context, s string) (string, error)   { return strings.ToUpper(s), nil }
func join(_ context.Context, ss []string) (string, error) { return strings.Join(ss, "-"), nil }

// A workflow that splits its input, maps over the parts, and joins the results.
func Example() {
	b := workflow.New[string]("shout")
	words := workflow.Task(b, "split", split, b.Input())
	loud := workflow.Map(b, "upper", upper, words, workflow.Limit(8))
	def, err := workflow.Build(b, workflow.Task(b, "join", join, loud))
	if err != nil {
		panic(err)
	}
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		panic(err)
	}
	defer rt.Stop(context.Background())
	out, err := runtime.Execute(context.Background(), rt, def, "rings that mill")
	fmt.Println(out, err)
	// Output: RINGS-THAT-MILL <nil>
}

// Start does not wait; the Run is a handle on what was started.
func ExampleStart() {
	b := workflow.New[string]("shout")
	def, err := workflow.Build(b, workflow.Task(b, "upper", upper, b.Input()))
	if err != nil {
		panic(err)
	}
	rt, err := runtime.New(runtime.Config{TaskActors: 4})
	if err != nil {
		panic(err)
	}
	defer rt.Stop(context.Background())
	run, err := runtime.Start(context.Background(), rt, def, "hello", runtime.ID("greeting-1"))
	if err != nil {
		panic(err) // runtime.ErrOverloaded when a bound is hit
	}
	out, err := run.Result(context.Background())
	fmt.Println(run.ID(), run.Status(), out, err)
	// Output: greeting-1 succeeded HELLO <nil>
}

// A charge is taken back when the shipment fails: compensations run in the reverse order of what succeeded.
func ExampleExecute_compensation() {
	charge := func(_ context.Context, order string) (string, error) { return "charge-of-" + order, nil }
	refund := func(_ context.Context, charge string) error { fmt.Println("refunded", charge); return nil }
	ship := func(context.Context, string) (string, error) { return "", errors.New("out of stock") }

	b := workflow.New[string]("checkout")
	paid := workflow.Task(b, "charge", charge, b.Input(), workflow.Compensate(refund),
		workflow.CompensateRetry(retry.Exponential{MaxAttempts: 5}))
	def, err := workflow.Build(b, workflow.Task(b, "ship", ship, paid))
	if err != nil {
		panic(err)
	}
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	_, err = runtime.Execute(context.Background(), rt, def, "o-1", runtime.ID("checkout-o-1")) // a second call with this id does not charge again
	fmt.Println(err)
	// Output:
	// refunded charge-of-o-1
	// workflow checkout, run checkout-o-1, task ship, attempt 1: out of stock
}

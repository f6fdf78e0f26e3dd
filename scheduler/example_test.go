package scheduler_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/ringmill/ringmill/scheduler"
)

// tally is an activation: a counter that works off what it has been given.
type tally struct {
	status  atomic.Int32 // 0 idle, 1 scheduled
	pending atomic.Int64
	total   int64 // used inside Run only
}

// give publishes the work first and then looks at the status.
func (t *tally) give(e *scheduler.Executor, n int64) {
	t.pending.Add(n)
	if t.status.CompareAndSwap(0, 1) {
		e.Schedule(t)
	}
}

// Run stores idle first and then looks for work.
func (t *tally) Run(*scheduler.Worker) (again bool) {
	t.total += t.pending.Swap(0)
	t.status.Store(0)
	return t.pending.Load() > 0 && t.status.CompareAndSwap(0, 1)
}

func ExampleExecutor() {
	e, err := scheduler.NewExecutor(scheduler.ExecutorConfig{MaxWorkers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	var t tally
	for n := range int64(5) {
		t.give(e, n)
	}
	if err := e.Stop(context.Background()); err != nil { // waits for what is queued
		fmt.Println(err)
	}
	fmt.Println(t.total)
	// Output: 10
}

func ExampleIdlePool() {
	p := scheduler.NewIdlePool[string](2, 8)
	for _, job := range []string{"a", "b", "c"} {
		if member, item, err := p.Assign(job); err != nil {
			fmt.Println(err)
		} else if member >= 0 {
			fmt.Printf("member %d starts %s\n", member, item)
		} else {
			fmt.Printf("%s waits\n", job)
		}
	}
	item, ok := p.Next(1) // member 1 has finished
	fmt.Println("member 1 goes on with", item, ok)
	// Output:
	// member 0 starts a
	// member 1 starts b
	// c waits
	// member 1 goes on with c true
}

func ExampleRoundRobin() {
	var turn scheduler.RoundRobin
	for range 4 {
		fmt.Print(turn.Next(3), " ")
	}
	// Output: 0 1 2 0
}

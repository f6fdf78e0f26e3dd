package savina

import (
	"context"
	goruntime "runtime"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/scheduler"
)

const (
	// TaskWorkers is the number of goroutines that run tasks.
	TaskWorkers = 2
	// TaskQueue bounds the tasks that wait.
	TaskQueue = 4096
	// askEvery is how many tasks the submitter submits between two looks at how many wait.
	askEvery = 1024
)

// What does it cost to have an empty task run by one of two workers? One goroutine submits.
var executor = []Scenario{{
	Name: "Executor", Unit: "task", Small: 5000,
	Ringmill: func(r *Run) {
		e := newExecutor(r)
		r.runTasks(func(task func()) func() {
			var a scheduler.Activation = activation(task)
			return func() { e.Schedule(a) }
		}, func() bool { return e.Stats().Queued > TaskQueue-askEvery })
	},
	Channel: func(r *Run) {
		tasks := make(chan func(), TaskQueue)
		var workers sync.WaitGroup
		for range TaskWorkers {
			workers.Go(func() {
				for task := range tasks {
					task()
				}
			})
		}
		r.runTasks(func(task func()) func() { return func() { tasks <- task } }, nil)
		close(tasks)
		workers.Wait()
	},
}}

type activation func()

func (f activation) Run(*scheduler.Worker) bool { f(); return false }

func newExecutor(r *Run) *scheduler.Executor {
	e, err := scheduler.NewExecutor(scheduler.ExecutorConfig{MaxWorkers: TaskWorkers})
	r.Must(err)
	r.Cleanup(func() { r.Must(e.Stop(context.Background())) })
	return e
}

// RunTasks submits N tasks and waits for all of them. submit blocks when too many wait.
func (r *Run) RunTasks(submit func(task func())) {
	r.runTasks(func(task func()) func() { return func() { submit(task) } }, nil)
}

// runTasks prepares one task and submits it N times. crowded, if not nil, says that too many wait; it is asked now and then,
// and the submitter then yields.
func (r *Run) runTasks(prepare func(task func()) (submit func()), crowded func() bool) {
	var left atomic.Int64
	left.Store(int64(r.N))
	done := make(chan struct{})
	submit := prepare(func() {
		if left.Add(-1) == 0 {
			close(done)
		}
	})
	r.Begin()
	for i := range r.N {
		if crowded != nil && i%askEvery == 0 {
			for crowded() {
				goruntime.Gosched()
			}
		}
		submit()
	}
	<-done
	r.End()
}

// What does it cost to choose one of 50 task actors and to give it back? path=idle: somebody is idle. path=queue: nobody is,
// and the one that comes back takes the oldest that waits. The channel side keeps the idle ones in a channel and, where nobody
// is idle, the work in another.
var choose = []Scenario{{
	Name: "ChooseTaskActor/path=idle", Unit: "task", Small: 100,
	Ringmill: func(r *Run) {
		p := scheduler.NewIdlePool[int](taskActors, capacity)
		r.Begin()
		for range r.N {
			m, _, err := p.Assign(1)
			r.Must(err)
			p.Next(m)
		}
	},
	Channel: func(r *Run) {
		idle := make(chan int, taskActors)
		for m := range taskActors {
			idle <- m
		}
		r.Begin()
		for range r.N {
			m := <-idle
			idle <- m
		}
	},
}, {
	Name: "ChooseTaskActor/path=queue", Unit: "task", Small: 100,
	Ringmill: func(r *Run) {
		p := scheduler.NewIdlePool[int](taskActors, capacity)
		for range taskActors {
			_, _, err := p.Assign(1)
			r.Must(err)
		}
		r.Begin()
		for range r.N {
			_, _, err := p.Assign(1)
			r.Must(err)
			p.Next(0)
		}
	},
	Channel: func(r *Run) {
		idle, queue := make(chan int, taskActors), make(chan int, capacity)
		r.Begin()
		for range r.N {
			select {
			case <-idle:
			default:
				queue <- 1
			}
			select {
			case <-queue:
			default:
				idle <- 0
			}
		}
	},
}}

const taskActors = 50

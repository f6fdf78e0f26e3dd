package peers_test

import (
	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"

	"github.com/ringmill/ringmill/bench/savina"
)

// ants and pond as one uses them by hand: a submission for each task.
var (
	antsSides = map[string]func(*savina.Run){"Executor": func(r *savina.Run) {
		pool, err := ants.NewPool(savina.TaskWorkers)
		r.Must(err)
		r.RunTasks(func(task func()) { r.Must(pool.Submit(task)) })
		pool.Release()
	}}
	pondSides = map[string]func(*savina.Run){"Executor": func(r *savina.Run) {
		pool := pond.NewPool(savina.TaskWorkers, pond.WithQueueSize(savina.TaskQueue))
		r.RunTasks(func(task func()) { r.Must(pool.Go(task)) })
		pool.StopAndWait()
	}}
)

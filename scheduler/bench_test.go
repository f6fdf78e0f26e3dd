package scheduler_test

import (
	"fmt"
	goruntime "runtime"
	"sync/atomic"
	"testing"

	"github.com/panjf2000/ants/v2"
	"github.com/ringmill/ringmill/scheduler"
)

// BenchmarkExecutor runs empty tasks: through an executor's queue, by ants.Submit
// for each, and through a channel to two goroutines.
func BenchmarkExecutor(b *testing.B) {
	b.Run("impl=executor", func(b *testing.B) {
		b.ReportAllocs()
		e := newExecutor(b, scheduler.ExecutorConfig{MaxWorkers: 2})
		var left atomic.Int64
		left.Store(int64(b.N))
		done := make(chan struct{})
		var task scheduler.Activation = once(func() {
			if left.Add(-1) == 0 {
				close(done)
			}
		})
		for i := range b.N {
			if i%1024 == 0 { // as a caller with a bound would: not too far ahead
				for e.Stats().Queued > 4096 {
					goruntime.Gosched()
				}
			}
			e.Schedule(task)
		}
		<-done
	})
	b.Run("impl=ants", func(b *testing.B) {
		b.ReportAllocs()
		pool, err := ants.NewPool(2)
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Release()
		var left atomic.Int64
		left.Store(int64(b.N))
		done := make(chan struct{})
		task := func() {
			if left.Add(-1) == 0 {
				close(done)
			}
		}
		for range b.N {
			if err := pool.Submit(task); err != nil {
				b.Fatal(err)
			}
		}
		<-done
	})
	b.Run("impl=channel", func(b *testing.B) {
		b.ReportAllocs()
		var left atomic.Int64
		left.Store(int64(b.N))
		tasks, done := make(chan func(), 4096), make(chan struct{})
		for range 2 {
			go func() {
				for task := range tasks {
					task()
				}
			}()
		}
		task := func() {
			if left.Add(-1) == 0 {
				close(done)
			}
		}
		for range b.N {
			tasks <- task
		}
		<-done
		close(tasks)
	})
}

// BenchmarkIdlePool is one dispatch, the whole way: assign and finish.
func BenchmarkIdlePool(b *testing.B) {
	for _, members := range []int{50, 1000} {
		b.Run(fmt.Sprintf("path=idle/members=%d", members), func(b *testing.B) {
			b.ReportAllocs()
			p := scheduler.NewIdlePool[int](members, 1024)
			for b.Loop() {
				m, _, _ := p.Assign(1)
				p.Next(m)
			}
		})
		b.Run(fmt.Sprintf("path=queue/members=%d", members), func(b *testing.B) {
			b.ReportAllocs()
			p := scheduler.NewIdlePool[int](members, 1024)
			for range members {
				_, _, _ = p.Assign(1)
			}
			for b.Loop() {
				_, _, _ = p.Assign(1)
				p.Next(0)
			}
		})
	}
}

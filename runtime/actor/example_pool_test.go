package actor_test

import (
	"context"
	"fmt"

	"github.com/ringmill/ringmill/runtime/actor"
)

// job is what the pools of the examples are given.
type job struct {
	started chan<- struct{} // closed when a member is at it
	wait    <-chan struct{} // what the member then waits for; nil: nothing
	done    chan<- int      // where the member's number goes
}

// examplePool makes a pool whose members are numbered from 0.
func examplePool(sys *actor.System, size int, cfg actor.PoolConfig) *actor.Pool[job] {
	members := 0
	return actor.NewPool(sys, size, func() func(*actor.Context[job], job) error {
		member := members
		members++
		return func(_ *actor.Context[job], j job) error {
			if j.started != nil {
				close(j.started)
			}
			if j.wait != nil {
				<-j.wait
			}
			j.done <- member
			return nil
		}
	}, cfg)
}

// By turns: each member gets as many as the others.
func ExamplePool_Tell() {
	sys := exampleSystem(actor.SystemConfig{})
	pool := examplePool(sys, 3, actor.PoolConfig{}) // RouterRoundRobin
	done := make(chan int, 6)
	for range 6 {
		_ = pool.Tell(job{done: done})
	}
	_ = sys.Stop(context.Background())
	var jobs [3]int
	for range 6 {
		jobs[<-done]++
	}
	fmt.Println(jobs)
	// Output: [2 2 2]
}

// occupy has a member of pool wait until release is closed, and returns once it does.
func occupy(pool *actor.Pool[job], release <-chan struct{}, done chan<- int) {
	started := make(chan struct{})
	_ = pool.Tell(job{started: started, wait: release, done: done})
	<-started
}

// Nothing waits for a busy member while another one is idle.
func ExamplePoolConfig_idle() {
	sys := exampleSystem(actor.SystemConfig{})
	pool := examplePool(sys, 2, actor.PoolConfig{Router: actor.RouterIdle, Blocking: true})
	busy, free, release := make(chan int, 1), make(chan int), make(chan struct{})
	occupy(pool, release, busy)
	_ = pool.Tell(job{done: free})
	member := <-free
	close(release)
	fmt.Println("the same member:", member == <-busy)
	_ = sys.Stop(context.Background())
	// Output: the same member: false
}

// Of two members the one with fewer messages before it.
func ExamplePoolConfig_leastLoaded() {
	sys := exampleSystem(actor.SystemConfig{})
	pool := examplePool(sys, 2, actor.PoolConfig{Router: actor.RouterLeastLoaded, Blocking: true})
	busy, free, release := make(chan int, 1), make(chan int), make(chan struct{})
	occupy(pool, release, busy)
	_ = pool.Tell(job{done: free})
	member := <-free
	close(release)
	fmt.Println("the same member:", member == <-busy)
	_ = sys.Stop(context.Background())
	// Output: the same member: false
}

// Every message to every member.
func ExamplePoolConfig_broadcast() {
	sys := exampleSystem(actor.SystemConfig{})
	pool := examplePool(sys, 3, actor.PoolConfig{Router: actor.RouterBroadcast})
	done := make(chan int, 3)
	_ = pool.Tell(job{done: done})
	_ = sys.Stop(context.Background())
	fmt.Println(<-done + <-done + <-done) // members 0, 1 and 2
	// Output: 3
}

// TellKey and Broadcast are there whatever the router is.
func ExamplePool_TellKey() {
	sys := exampleSystem(actor.SystemConfig{})
	pool := examplePool(sys, 8, actor.PoolConfig{})
	done := make(chan int, 11)
	for range 3 {
		_ = pool.TellKey(42, job{done: done})
	}
	fmt.Println("one member:", <-done+<-done == 2*<-done)
	told, err := pool.Broadcast(job{done: done})
	fmt.Println(told, err)
	_ = sys.Stop(context.Background())
	// Output:
	// one member: true
	// 8 <nil>
}

// A pool follows its load; members that go handle what they have accepted.
func ExamplePool_Resize() {
	sys := exampleSystem(actor.SystemConfig{})
	pool := examplePool(sys, 2, actor.PoolConfig{})
	done := make(chan int, 100)
	for n := range 100 {
		if n%10 == 0 {
			_ = pool.Resize(1 + n/10) // up to 10
		}
		_ = pool.Tell(job{done: done})
	}
	_ = pool.Resize(1)
	fmt.Println(pool.Len(), "member")
	_ = sys.Stop(context.Background())
	fmt.Println(len(done), "jobs")
	// Output:
	// 1 member
	// 100 jobs
}

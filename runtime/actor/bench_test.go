package actor_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// BenchmarkPingPong is one hop between two actors, or between two goroutines.
func BenchmarkPingPong(b *testing.B) {
	b.Run("impl=actor", func(b *testing.B) {
		b.ReportAllocs()
		sys := newSystem(b, actor.SystemConfig{})
		done := make(chan struct{})
		pong := actor.Spawn(sys, func(c *actor.Context[ball], m ball) error { return m.back.TellFrom(c, m) }, actor.Config{})
		ping := actor.Spawn(sys, func(c *actor.Context[ball], m ball) error {
			if m.left <= 0 {
				close(done)
				return nil
			}
			return pong.TellFrom(c, ball{left: m.left - 2, back: c.Self()})
		}, actor.Config{})
		if err := ping.Tell(ball{left: b.N}); err != nil {
			b.Fatal(err)
		}
		<-done
	})
	b.Run("impl=channel", func(b *testing.B) {
		b.ReportAllocs()
		ping, pong := make(chan int), make(chan int)
		go func() {
			for n := range ping {
				pong <- n
			}
			close(pong)
		}()
		for n := 0; n < b.N; n += 2 {
			ping <- n
			<-pong
		}
		close(ping)
		<-pong
	})
}

// BenchmarkCounting floods one actor, or one goroutine's channel, from outside.
func BenchmarkCounting(b *testing.B) {
	b.Run("impl=actor", func(b *testing.B) {
		b.ReportAllocs()
		sys := newSystem(b, actor.SystemConfig{})
		done, n := make(chan struct{}), 0
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
			if n++; n == b.N {
				close(done)
			}
			return nil
		}, actor.Config{})
		for range b.N {
			for ref.Tell(1) == mailbox.ErrFull {
				goruntime.Gosched()
			}
		}
		<-done
	})
	b.Run("impl=channel", func(b *testing.B) {
		b.ReportAllocs()
		ch, done := make(chan int, 1024), make(chan struct{})
		go func() {
			for range b.N {
				<-ch
			}
			close(done)
		}()
		for range b.N {
			ch <- 1
		}
		<-done
	})
}

const underLoadTokens = 1000

// BenchmarkUnderLoad passes tokens around among many actors, one for each up to
// underLoadTokens: the cost of a hop while many others have work.
func BenchmarkUnderLoad(b *testing.B) {
	for _, actors := range []int{50, 1000, 100_000} {
		b.Run(fmt.Sprintf("impl=actor/actors=%d", actors), func(b *testing.B) { underLoad(b, actors) })
		b.Run(fmt.Sprintf("impl=channel/actors=%d", actors), func(b *testing.B) { underLoadChannels(b, actors) })
	}
}

// next spreads the hops over the ring, as in Savina's "big".
func next(i, actors int) int { return (i*7 + 13) % actors }

func underLoad(b *testing.B, actors int) {
	b.ReportAllocs()
	sys := newSystem(b, actor.SystemConfig{})
	var left atomic.Int64
	done := make(chan struct{})
	refs := make([]actor.Ref[int], actors)
	for i := range refs {
		to := next(i, actors)
		refs[i] = actor.Spawn(sys, func(c *actor.Context[int], hops int) error {
			if hops == 0 {
				if left.Add(-1) == 0 {
					close(done)
				}
				return nil
			}
			j := to
			for refs[j].TellFrom(c, hops-1) == mailbox.ErrFull { // tokens bunch up: go round the full one
				j = next(j, actors)
			}
			return nil
		}, actor.Config{MailboxCapacity: 64})
	}
	tokens := min(actors, underLoadTokens)
	left.Store(int64(tokens))
	b.ResetTimer()
	for i := range tokens {
		if err := refs[i*(actors/tokens)].Tell(b.N / tokens); err != nil {
			b.Fatal(err)
		}
	}
	<-done
}

func underLoadChannels(b *testing.B, actors int) {
	b.ReportAllocs()
	var left atomic.Int64
	done, quit := make(chan struct{}), make(chan struct{})
	chans := make([]chan int, actors)
	for i := range chans {
		chans[i] = make(chan int, 64) // a full one blocks its senders
	}
	var wg sync.WaitGroup
	for i := range chans {
		to := chans[next(i, actors)]
		wg.Go(func() {
			for {
				select {
				case hops := <-chans[i]:
					if hops == 0 {
						if left.Add(-1) == 0 {
							close(done)
						}
						continue
					}
					to <- hops - 1
				case <-quit:
					return
				}
			}
		})
	}
	tokens := min(actors, underLoadTokens)
	left.Store(int64(tokens))
	b.ResetTimer()
	for i := range tokens {
		chans[i*(actors/tokens)] <- b.N / tokens
	}
	<-done
	b.StopTimer()
	close(quit)
	wg.Wait()
}

// BenchmarkSpawnTellStop is an actor's whole life with one message.
func BenchmarkSpawnTellStop(b *testing.B) {
	b.ReportAllocs()
	sys := newSystem(b, actor.SystemConfig{})
	for b.Loop() {
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{MailboxCapacity: 8})
		if err := ref.Tell(1); err != nil {
			b.Fatal(err)
		}
		if err := ref.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkQuietBesideHot reports how long a quiet actor waits beside others that are
// flooded with work of 1 us: one of them, or more than there are workers.
func BenchmarkQuietBesideHot(b *testing.B) {
	for _, hot := range []int{1, 16} {
		b.Run(fmt.Sprintf("hot=%d", hot), func(b *testing.B) { quietBesideHot(b, hot) })
	}
}

func quietBesideHot(b *testing.B, actors int) {
	sys := newSystem(b, actor.SystemConfig{})
	for range actors {
		hot := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
			for start := time.Now(); time.Since(start) < time.Microsecond; {
			}
			return c.Self().TellFrom(c, m)
		}, actor.Config{})
		for range 512 {
			if err := hot.Tell(0); err != nil {
				b.Fatal(err)
			}
		}
	}
	waits := make([]time.Duration, 0, b.N)
	done := make(chan struct{}, 1)
	quiet := actor.Spawn(sys, func(_ *actor.Context[time.Time], sent time.Time) error {
		waits = append(waits, time.Since(sent))
		done <- struct{}{}
		return nil
	}, actor.Config{})
	b.ResetTimer()
	for range b.N {
		if err := quiet.Tell(time.Now()); err != nil {
			b.Fatal(err)
		}
		<-done
	}
	b.StopTimer()
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Nanoseconds()), "p50-wait-ns")
	b.ReportMetric(float64(waits[len(waits)*99/100].Nanoseconds()), "p99-wait-ns")
}

// BenchmarkIdle reports the processor time that 1,000 idle actors cost.
func BenchmarkIdle(b *testing.B) {
	sys := newSystem(b, actor.SystemConfig{})
	for range 1000 {
		actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{})
	}
	goruntime.GC()
	before, start := cpuTime(b), time.Now()
	<-time.After(time.Second)
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/time.Since(start).Seconds(), "cpu-us/s")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMemory reports the bytes of an actor that has never had a message.
func BenchmarkMemory(b *testing.B) {
	sys := newSystem(b, actor.SystemConfig{})
	const actors = 100_000
	refs := make([]actor.Ref[int], actors)
	handler := func(*actor.Context[int], int) error { return nil }
	var before, after goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&before)
	for i := range refs {
		refs[i] = actor.Spawn(sys, handler, actor.Config{})
	}
	goruntime.GC()
	goruntime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/actors, "bytes/actor")
	goruntime.KeepAlive(refs)
}

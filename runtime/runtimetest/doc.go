// Package runtimetest helps to test programs that execute workflows.
//
// There are two ways to let the waits of a [github.com/ringmill/ringmill/runtime.Runtime] take no time: those between attempts, timeouts,
// deadlines of runs, heartbeats, rate limits, breakers, the life of cached results and of kept runs.
//
// # In a bubble of testing/synctest
//
// Everything works as it is, if the Runtime is made and stopped in the bubble. Time passes by itself as soon as all goroutines
// wait, bodies that sleep and the test included, and synctest.Wait returns when the Runtime has nothing to do:
//
//	synctest.Test(t, func(t *testing.T) {
//		rt, err := runtime.New(runtime.Config{})
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer rt.Stop(t.Context())
//		began := time.Now()
//		_, err = runtime.Execute(t.Context(), rt, def, order) // three attempts, ten minutes apart
//		if took := time.Since(began); took < 20*time.Minute { // at once
//			t.Errorf("took %v", took)
//		}
//	})
//
// It is the better way wherever it works: nothing has to be told when to pass, and breakers, limits and code of one's own go by the same
// time. It does not work for tests with input or output, such as network connections or processes, which the bubble cannot wait for.
//
// # With a Clock
//
// runtime.Config.Clock takes a [Clock], whose time passes in Advance only. What happens in between takes real time, so a test lets time
// pass when what it tests waits for it: Await tells that.
//
//	clock := runtimetest.NewClock()
//	rt, err := runtime.New(runtime.Config{Clock: clock})
//	run, err := runtime.Start(ctx, rt, def, order)
//	err = clock.Await(ctx, 10*time.Minute) // the first attempt has failed, the second is due within ten minutes
//	clock.Advance(10 * time.Minute)
//
// Breakers and rate limits are made by the program and have a clock of their own: pass clock.Now to breaker.Config.Now and
// limit.RateConfig.Now, and for those in files to workflow.Now. Contexts of tasks tell deadlines by the Clock, and end by it.
// Bodies that compare such a deadline with the real time, as network connections do, need a clock that stands at it: [NewClockAt].
//
// Nothing in the package sleeps or polls.
package runtimetest

package scheduler_test

import (
	"testing"

	"github.com/ringmill/ringmill/scheduler"
)

// TestQuietComesBeforeBusy: beside activations that use up slice after slice, one that is scheduled waits for the slice that
// runs and no other, however many they are.
func TestQuietComesBeforeBusy(t *testing.T) {
	const busy, rounds = 50, 100
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1})
	slices, done := 0, make(chan struct{}) // belong to the one worker
	asked, late, left := -1, 0, rounds
	quiet := once(func() {
		if slices-asked > 0 {
			late++
		}
		asked = -1
		if left--; left == 0 {
			close(done)
		}
	})
	scheduleAndWait(e, func(*scheduler.Worker) {
		for range busy {
			e.Schedule(runFunc(func(*scheduler.Worker) bool {
				slices++
				if asked < 0 && left > 0 && slices > 2*busy { // by now each has had one
					asked = slices
					e.Schedule(quiet)
				}
				return left > 0
			}))
		}
	})
	<-done
	if late > 0 {
		t.Errorf("%d times in %d the quiet one waited for another slice", late, rounds)
	}
}

// TestBusyGetsOn: an activation that always wants another slice gets one in four turns beside others that are scheduled
// anew without end.
func TestBusyGetsOn(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1})
	others, done := 0, make(chan struct{})
	var fresh [2]runFunc
	left, worst := 100, 0
	for i := range fresh {
		fresh[i] = func(*scheduler.Worker) bool {
			others++
			if left > 0 {
				e.Schedule(fresh[1-i])
			}
			return false
		}
	}
	scheduleAndWait(e, func(*scheduler.Worker) {
		e.Schedule(runFunc(func(*scheduler.Worker) bool {
			worst, others = max(worst, others), 0
			if left--; left == 0 {
				close(done)
			}
			return left > 0
		}))
		e.Schedule(fresh[0])
	})
	<-done
	if worst > 4 {
		t.Errorf("%d others ran between two slices, want at most 4", worst)
	}
}

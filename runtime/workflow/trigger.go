package workflow

import "fmt"

// A Trigger says how the tasks that a task waits for must have ended for it to
// start. It always waits until all of them have ended; where they ended in
// another way than the trigger wants, the task is skipped.
type Trigger uint8

// The triggers. AllSucceeded is the default: a task that was skipped, or whose
// failure a run with [Continue] survives, takes what depends on it along.
const (
	AllSucceeded Trigger = iota // every one succeeded
	AllDone                     // they ended, in whatever way
	AnySucceeded                // at least one succeeded
)

var triggerNames = [...]string{"all_succeeded", "all_done", "any_succeeded"}

// String is the trigger's name in files, such as "all_succeeded".
func (t Trigger) String() string {
	if int(t) < len(triggerNames) {
		return triggerNames[t]
	}
	return fmt.Sprintf("Trigger(%d)", uint8(t))
}

// A FailurePolicy says what a failed task does to the rest of its run.
type FailurePolicy uint8

const (
	// FailFast, the default, ends the run: running tasks are cancelled, waiting
	// ones do not start.
	FailFast FailurePolicy = iota
	// Continue runs everything that does not depend on the failed task; what
	// does is skipped unless its [Trigger] is met. The run fails at its end with
	// the error of the task that failed first.
	Continue
)

var failurePolicyNames = [...]string{"fail_fast", "continue"}

// String is the policy's name in files, such as "fail_fast".
func (p FailurePolicy) String() string {
	if int(p) < len(failurePolicyNames) {
		return failurePolicyNames[p]
	}
	return fmt.Sprintf("FailurePolicy(%d)", uint8(p))
}

// A Level is the priority of a task. The zero Level is that of the task's run,
// which is Normal unless the caller says otherwise.
type Level uint8

// The levels, the most urgent first. None starves: of 15 ready tasks 8 are
// taken from Critical, 4 from High, 2 from Normal and 1 from Low as long as
// there are enough of each.
const (
	Critical Level = iota + 1
	High
	Normal
	Low
)

var levelNames = [...]string{"default", "critical", "high", "normal", "low"}

// String is the level's name in files, such as "high".
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

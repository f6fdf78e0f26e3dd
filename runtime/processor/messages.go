package processor

// message is what a workflow actor's mailbox holds. Every kind is one pointer
// wide, so that none allocates when it becomes an interface value.
type message interface{ about() *Run }

// executeWorkflow hands a run to a workflow actor. Its sender has taken one of the
// mailbox's MailboxCapacity places for it.
type executeWorkflow struct{ run *Run }

// taskDone is the reply to an executeTask that the task actor cannot deal with
// itself. The credit that the attempt holds is its place in the mailbox, beside
// those of the runs.
type taskDone struct{ attempt *attempt }

// tasksReady hands over tasks that a task actor has claimed and does not start
// itself, linked by attempt.next. It holds one credit.
type tasksReady struct{ first *attempt }

func (m executeWorkflow) about() *Run { return m.run }
func (m taskDone) about() *Run        { return m.attempt.run }
func (m tasksReady) about() *Run      { return m.first.run }

// executeTask hands an attempt to a task actor that was claimed while idle, so
// its mailbox of one place has room.
type executeTask struct{ attempt *attempt }

// A control is an order outside the mailbox: it needs no room, since each kind
// is bounded by the runs and attempts in flight. It is delivered by a signal.
type control struct {
	kind    controlKind
	run     *Run
	attempt *attempt
	turn    int32 // of the attempt that a timer was armed for
	task    int32
	cause   error
	sub     *Run
	held    *heldState
	value   any
	ok      bool
}

// about is the run that the order is about; nil for those about all.
func (c *control) about() *Run {
	if c.run == nil && c.attempt != nil {
		return c.attempt.run
	}
	return c.run
}

type controlKind uint8

const (
	cancelRun    controlKind = iota + 1 // run, cause: once a run
	replaceRun                          // run: admitted in the place of one that was shed
	retryDue                            // run, attempt, turn: its back-off is over
	taskDue                             // run, task: TaskTimeout is over
	graceOver                           // run: CancelGrace is over
	attemptStuck                        // run, attempt, turn: it outlived its deadline by CancelGrace
	shutdown                            // cause: cancel every run
	exited                              // run, task: user code called runtime.Goexit on the actor
	overstayed                          // run, task: the same of a first attempt with a boundContext
	paced                               // run, attempt, turn: the rate limit lets it begin
	placeGranted                        // run, task, held: the concurrency limit has a place for it
	subEnded                            // run, attempt, turn, sub: the run that the attempt consists of has ended
	tasksClaimed                        // attempt: the first of a list that a caller has claimed and does not start itself
	resultShared                        // run, task, value, ok: another run's execution has ended
	compensate                          // run: it ends otherwise than well and has tasks to be undone
	undone                              // run, sub: the compensation that sub was made for has ended
	haltUndo                            // end the compensations of every run
)

package report

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// An Object is a run as `ringmill run --json` prints it.
type Object struct {
	Workflow            string          `json:"workflow"`
	RunID               string          `json:"run_id"`
	Status              workflow.Status `json:"status"`
	Output              json.RawMessage `json:"output"` // null unless succeeded
	Error               *Error          `json:"error"`  // null if succeeded
	MakespanSeconds     float64         `json:"makespan_seconds"`
	CriticalPathSeconds float64         `json:"critical_path_seconds"`
	Tasks               []Task          `json:"tasks"`
	Compensations       []Compensation  `json:"compensations,omitempty"` // in the order in which they were called
}

// An Error says why a run did not succeed. Task is empty and Attempt 0 where no
// task is to blame.
type Error struct {
	Task    string `json:"task"`
	Attempt int    `json:"attempt"`
	Class   string `json:"class"`
	Message string `json:"message"`
}

// A Task is one task of an [Object]. The times and the actor are null where the
// task never began, the actor also where it ran on none.
type Task struct {
	Name         string          `json:"name"`
	Status       workflow.Status `json:"status"`
	Attempts     int             `json:"attempts"`
	QueueSeconds float64         `json:"queue_seconds"`
	RunSeconds   float64         `json:"run_seconds"`
	StartedAt    *time.Time      `json:"started_at"`
	FinishedAt   *time.Time      `json:"finished_at"`
	Actor        *int            `json:"actor"`
	Error        *string         `json:"error"`             // why it did not go well, null if it did
	Cached       bool            `json:"cached,omitempty"`  // the result is an earlier execution's
	Console      *Console        `json:"console,omitempty"` // of scripts
}

// A Compensation is what undid a task, or an item of it, of an [Object].
type Compensation struct {
	Task
	Item *int `json:"item"` // of a foreach, else null
}

// A Console is what the scripts of a task wrote, one message a line. Truncated says
// that there was more.
type Console struct {
	Text      string `json:"text"`
	Truncated bool   `json:"truncated"`
}

// NewObject describes a run that has ended; consoles are by task, nil for none.
func NewObject(r runtime.Report, output json.RawMessage, consoles map[string]*Console) Object {
	o := Object{
		Workflow:            r.Workflow,
		RunID:               r.RunID,
		Status:              r.Status,
		Error:               newError(r.Err),
		MakespanSeconds:     r.Makespan.Seconds(),
		CriticalPathSeconds: r.CriticalPath.Seconds(),
		Tasks:               make([]Task, len(r.Tasks)),
	}
	if r.Err == nil {
		o.Output = output
	}
	for i := range r.Tasks {
		o.Tasks[i] = newTask(&r.Tasks[i])
		o.Tasks[i].Console = consoles[r.Tasks[i].Name]
	}
	for i := range r.Compensations {
		o.Compensations = append(o.Compensations, newCompensation(&r.Compensations[i]))
	}
	return o
}

func newCompensation(c *runtime.CompensationReport) Compensation {
	t := asTask(c)
	t.Name = c.Task
	made := Compensation{Task: newTask(&t)}
	if c.Item >= 0 {
		made.Item = new(c.Item)
	}
	if c.Err != nil {
		made.Error = new(undoCause(c.Err).Error())
	}
	return made
}

// Refused describes a run that was not started, because of err.
func Refused(workflowName string, err error) Object {
	status := workflow.StatusFailed
	if Class(err) == "cancelled" {
		status = workflow.StatusCancelled
	}
	return Object{Workflow: workflowName, Status: status, Error: newError(err), Tasks: []Task{}}
}

func newError(err error) *Error {
	if err == nil {
		return nil
	}
	e := &Error{Class: Class(err), Message: err.Error()}
	var failed *workflow.TaskError
	if errors.As(err, &failed) {
		e.Task, e.Attempt = failed.Task, failed.Attempt
	}
	return e
}

func newTask(t *runtime.TaskReport) Task {
	task := Task{
		Name:         t.Name,
		Status:       t.Status,
		Attempts:     t.Attempts,
		QueueSeconds: t.Queue.Seconds(),
		RunSeconds:   t.Run.Seconds(),
		Cached:       t.Cached,
	}
	if !t.Started.IsZero() {
		task.StartedAt = new(t.Started.UTC())
		if t.Actor >= 0 {
			task.Actor = new(t.Actor)
		}
	}
	if !t.Finished.IsZero() {
		task.FinishedAt = new(t.Finished.UTC())
	}
	if t.Err != nil {
		task.Error = new(t.Err.Error())
	}
	return task
}

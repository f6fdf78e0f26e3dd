package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// wfVersion is the version of WfFormat that is understood.
const wfVersion = "1.5"

// wfFile is the part of a WfFormat file that a plan is made of.
type wfFile struct {
	Name          string `json:"name"`
	SchemaVersion string `json:"schemaVersion"`
	Workflow      struct {
		Specification struct {
			Tasks []wfTask `json:"tasks"`
		} `json:"specification"`
		Execution struct {
			Tasks []wfExecution `json:"tasks"`
		} `json:"execution"`
	} `json:"workflow"`
}

type wfTask struct {
	ID       string   `json:"id"`
	Parents  []string `json:"parents"`
	Children []string `json:"children"`
}

type wfExecution struct {
	ID      string   `json:"id"`
	Runtime *float64 `json:"runtimeInSeconds"`
}

// ParseWfFormat reads a recorded workflow in WfFormat 1.5, a JSON format
// (https://wfcommons.org/format). A task's name is its id. It sleeps as long as
// its recorded run took, times [TimeScale], and returns nothing; a run's input
// is ignored and its result is null. The error joins a [*SyntaxError] for every
// problem of the file, in the file's order.
func ParseWfFormat(data []byte, opts ...ParseOption) (*Definition[json.RawMessage, json.RawMessage], error) {
	config, err := newParseConfig(opts)
	if err != nil {
		return nil, err
	}
	data = document.WithoutMark(data)
	r := wfReader{problemList: problemList{file: config.file}, data: data, scale: config.timeScale}
	if len(data) > document.MaxJSON {
		r.report(document.Position{Line: 1, Column: 1}, ErrTooLarge, "split it", "the file has %d bytes, limit %d", len(data), document.MaxJSON)
		return nil, r.err()
	}
	if err := json.Unmarshal(data, &r.wfFile); err != nil {
		r.add([]document.Problem{document.JSONProblem(data, err)})
		return nil, r.err()
	}
	tasks := r.read()
	if err := r.err(); err != nil {
		return nil, err
	}
	plan := newPlan(r.name(), tasks)
	plan.Output = func(any, []any) (any, error) { return json.RawMessage("null"), nil }
	return &Definition[json.RawMessage, json.RawMessage]{plan}, nil
}

// A wfReader turns a WfFormat file into tasks and collects what is wrong with it.
type wfReader struct {
	problemList
	wfFile
	data  []byte
	scale float64
	index map[string]int // of tasks, by id
}

// at finds a value in the text. Only mistakes are looked up: the text is read
// again for each, from the beginning.
func (r *wfReader) at(path ...any) document.Position {
	return document.Locate(r.data, path...)
}

// atTask is the place of a value of specification task i.
func (r *wfReader) atTask(i int, path ...any) document.Position {
	return r.at(append([]any{"workflow", "specification", "tasks", i}, path...)...)
}

func (r *wfReader) name() string {
	if badName(r.Name) == "" {
		return r.Name
	}
	return "workflow"
}

func (r *wfReader) read() []TaskPlan {
	specified := r.Workflow.Specification.Tasks
	if r.SchemaVersion != wfVersion {
		r.report(r.at("schemaVersion"), ErrSyntax, "convert the file to WfFormat "+wfVersion,
			"schemaVersion is %q, and only %q is understood", r.SchemaVersion, wfVersion)
		return nil // its fields mean something else
	}
	switch {
	case len(specified) == 0:
		r.report(r.at("workflow", "specification", "tasks"), ErrNoTasks, "add at least one task", "workflow.specification has no tasks")
		return nil
	case len(specified) > MaxTasks:
		r.report(r.at("workflow", "specification", "tasks"), ErrTooLarge, "split the workflow",
			"the workflow has %d tasks, limit %d", len(specified), MaxTasks)
		return nil
	}
	tasks := make([]TaskPlan, len(specified))
	before := len(r.list)
	r.readIDs(tasks)
	if len(r.list) > before { // edges between tasks without a name of their own mean nothing
		return nil
	}
	r.readEdges(tasks)
	r.readRuntimes(tasks)
	r.checkScale()
	for _, cycle := range findCycles(tasks) {
		r.report(r.atTask(cycle[0], "id"), ErrCycle, "remove one of these dependencies",
			"tasks wait for each other: %s", cycleText(cycle, func(i int) string { return tasks[i].Name }))
	}
	return tasks
}

func (r *wfReader) readIDs(tasks []TaskPlan) {
	r.index = make(map[string]int, len(tasks))
	for i, t := range r.Workflow.Specification.Tasks {
		tasks[i].Name = t.ID
		if what := badName(t.ID); what != "" && !r.full() {
			r.report(r.atTask(i, "id"), ErrBadName, nameCure, "the id of task number %d %s", i+1, what)
			continue
		}
		if first, ok := r.index[t.ID]; ok && !r.full() {
			r.report(r.atTask(i, "id"), ErrDuplicateTask, "give each task its own id",
				"the tasks number %d and %d both have the id %s", first+1, i+1, t.ID)
			continue
		}
		r.index[t.ID] = i
	}
}

// readEdges takes the dependencies from the tasks' parents and holds the
// children against them.
func (r *wfReader) readEdges(tasks []TaskPlan) {
	children := make([][]int32, len(tasks)) // as listed
	for i, t := range r.Workflow.Specification.Tasks {
		tasks[i].Deps = r.lookUp(i, "parents", t.Parents)
		children[i] = r.lookUp(i, "children", t.Children)
	}
	parents := make([][]int32, len(tasks)) // as the children say
	for i, list := range children {
		for _, c := range list {
			parents[c] = append(parents[c], int32(i))
			if _, agrees := slices.BinarySearch(tasks[c].Deps, int32(i)); !agrees && !r.full() {
				r.report(r.atTask(i, "children"), ErrSyntax, "correct one of the two lists",
					"the task %s lists %s as its child, which does not list it as a parent", tasks[i].Name, tasks[c].Name)
			}
		}
	}
	for i := range tasks {
		for _, d := range tasks[i].Deps {
			if _, agrees := slices.BinarySearch(parents[i], d); !agrees && !r.full() {
				r.report(r.atTask(i, "parents"), ErrSyntax, "correct one of the two lists",
					"the task %s lists %s as its parent, which does not list it as a child", tasks[i].Name, tasks[d].Name)
			}
		}
	}
}

// lookUp turns a task's list of ids into sorted, distinct indexes.
func (r *wfReader) lookUp(task int, list string, ids []string) []int32 {
	if len(ids) == 0 {
		return nil
	}
	found := make([]int32, 0, len(ids))
	for i, id := range ids {
		if other, ok := r.index[id]; ok {
			found = append(found, int32(other))
		} else if !r.full() {
			r.report(r.atTask(task, list, i), ErrUnknownTask, "correct the id, or add the task",
				"%s of task %s names the task %q, which does not exist", list, r.Workflow.Specification.Tasks[task].ID, id)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// readRuntimes gives each task its recorded run time.
func (r *wfReader) readRuntimes(tasks []TaskPlan) {
	recorded := make([]bool, len(tasks))
	for i, e := range r.Workflow.Execution.Tasks {
		task, known := r.index[e.ID]
		problem, err := "", ErrSyntax
		switch {
		case !known:
			problem, err = fmt.Sprintf("workflow.execution has a task %q, which workflow.specification lacks", e.ID), ErrUnknownTask
		case recorded[task]:
			problem, err = fmt.Sprintf("workflow.execution has the task %s twice", e.ID), ErrDuplicateTask
		case e.Runtime == nil:
			problem = fmt.Sprintf("the task %s has no runtimeInSeconds", e.ID)
		case !(*e.Runtime >= 0):
			problem = fmt.Sprintf("the task %s has a negative runtimeInSeconds: %v", e.ID, *e.Runtime)
		case *e.Runtime > maxSeconds:
			problem = fmt.Sprintf("the task %s has a runtimeInSeconds beyond 292 years: %v", e.ID, *e.Runtime)
		default:
			r.setRuntime(&tasks[task], *e.Runtime)
		}
		if known {
			recorded[task] = true
		}
		if problem != "" && !r.full() {
			r.report(r.at("workflow", "execution", "tasks", i), err, "correct the entry", "%s", problem)
		}
	}
	for i, ok := range recorded {
		if !ok && !r.full() {
			r.report(r.atTask(i), ErrSyntax, "add it with its runtimeInSeconds",
				"workflow.execution lacks the task %s", tasks[i].Name)
		}
	}
}

// checkScale blames the time scale once where it makes tasks sleep too long that
// did not run too long.
func (r *wfReader) checkScale() {
	for i, e := range r.Workflow.Execution.Tasks {
		if e.Runtime != nil && *e.Runtime <= maxSeconds && *e.Runtime*r.scale > maxSeconds && !r.full() {
			r.report(r.at("workflow", "execution", "tasks", i), ErrBadOption, "give a smaller time scale",
				"the time scale %v makes the task %s, which took %v s, sleep longer than 292 years", r.scale, e.ID, *e.Runtime)
			return
		}
	}
}

// maxSeconds is the longest time.Duration.
const maxSeconds = math.MaxInt64 / float64(time.Second)

// setRuntime makes the task sleep. Where the scale is 0 the recorded time
// stays its weight, so that ranks still mean something.
func (r *wfReader) setRuntime(t *TaskPlan, seconds float64) {
	sleep := time.Duration(seconds * r.scale * float64(time.Second))
	t.Weight, t.Run = sleep, sleeper(sleep)
	if r.scale == 0 {
		t.Weight = time.Duration(seconds * float64(time.Second))
	}
}

// sleeper returns a task that sleeps for d. Those that do not sleep share one
// function.
func sleeper(d time.Duration) func(context.Context, Inputs) (any, error) {
	if d <= 0 {
		return doNothing
	}
	return func(ctx context.Context, _ Inputs) (any, error) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func doNothing(context.Context, Inputs) (any, error) { return nil, nil }

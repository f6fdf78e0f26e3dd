package workflow

// A pendingFeature is what a plan can express and the engine does not carry out
// yet. Build and Parse refuse it: nothing is silently ignored.
type pendingFeature struct {
	name string
	// used reports whether a task makes use of it; where it is nil, ofPlan
	// reports whether the plan does.
	used   func(t *TaskPlan) bool
	ofPlan func(p *Plan) bool
}

// pendingFeatures lists all of them. An engine that learns one removes its line.
var pendingFeatures = []pendingFeature{
	{name: "Compensate", used: func(t *TaskPlan) bool { return t.Compensate != nil }},
}

// pending calls report for everything in the plan that is pending; task is the
// index of the task, or noTask.
func (p *Plan) pending(report func(task int, what string)) {
	for _, f := range pendingFeatures {
		if f.used == nil {
			if f.ofPlan(p) {
				report(noTask, f.name)
			}
			continue
		}
		for i := range p.Tasks {
			if f.used(&p.Tasks[i]) {
				report(i, f.name)
			}
		}
	}
}

const (
	noTask      = -1
	pendingCure = "leave it out"
)

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
	{name: "MayFail", used: func(t *TaskPlan) bool { return t.MayFail }},
	{name: "Trigger", used: func(t *TaskPlan) bool { return t.Trigger != AllSucceeded }},
	{name: "When", used: func(t *TaskPlan) bool { return t.When != nil }},
	{name: "Inline", used: func(t *TaskPlan) bool { return t.Inline }},
	{name: "HeartbeatTimeout", used: func(t *TaskPlan) bool { return t.Heartbeat != 0 }},
	{name: "Compensate", used: func(t *TaskPlan) bool { return t.Compensate != nil }},
	{name: "Cache", used: func(t *TaskPlan) bool { return t.Cache != nil }},
	{name: "Breaker", used: func(t *TaskPlan) bool { return t.Breaker != nil }},
	{name: "RateLimit", used: func(t *TaskPlan) bool { return t.RateLimit != nil }},
	{name: "Concurrency", used: func(t *TaskPlan) bool { return t.Concurrency != nil }},
	{name: "Repeat", used: func(t *TaskPlan) bool { return t.Repeat != nil }},
	{name: "the errors of a Map's items", used: func(t *TaskPlan) bool { return t.KeepErrors }},
	{name: "a workflow as a task", used: func(t *TaskPlan) bool { return t.Sub != nil }},
	{name: "OnFailure", ofPlan: func(p *Plan) bool { return p.OnFailure != FailFast }},
	{name: "RunTimeout", ofPlan: func(p *Plan) bool { return p.Timeout != 0 }},
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

package workflow

import (
	"slices"
	"time"
)

// rank fills in the upward rank of every task: its own weight plus the highest
// rank among its successors (Topcuoglu, Hariri, Wu: "Performance-effective and
// low-complexity task scheduling for heterogeneous computing", 2002, with
// communication costs of zero).
func (p *Plan) rank() {
	weight := func(i int) float64 { return float64(p.Tasks[i].Weight) }
	if !slices.ContainsFunc(p.Tasks, func(t TaskPlan) bool { return t.Weight > 0 }) {
		weight = func(int) float64 { return 1 }
	}
	for i, rank := range p.ranks(weight) {
		p.Tasks[i].Rank = rank
	}
}

// ranks returns the upward ranks that follow from the weights.
func (p *Plan) ranks(weight func(task int) float64) []float64 {
	ranks := make([]float64, len(p.Tasks))
	for _, i := range slices.Backward(p.topological()) {
		for _, s := range p.Tasks[i].Succs {
			ranks[i] = max(ranks[i], ranks[s])
		}
		ranks[i] += weight(int(i))
	}
	return ranks
}

// CriticalPath returns the longest path through the plan, each task counted
// with what run says of it, and the tasks on it from first to last. It is the
// shortest time that any number of workers could need. A nil run stands for the
// tasks' weights.
func (p *Plan) CriticalPath(run func(task int) time.Duration) (length time.Duration, path []int) {
	if run == nil {
		run = func(task int) time.Duration { return p.Tasks[task].Weight }
	}
	ends := make([]time.Duration, len(p.Tasks)) // when a task can end at the earliest
	before := make([]int, len(p.Tasks))         // its predecessor on the longest path, or -1
	last := -1
	for _, i := range p.topological() {
		begin, from := time.Duration(0), -1
		for _, d := range p.Tasks[i].Deps {
			if from < 0 || ends[d] > begin {
				begin, from = ends[d], int(d)
			}
		}
		ends[i], before[i] = begin+run(int(i)), from
		if last < 0 || ends[i] > ends[last] {
			last = int(i)
		}
	}
	if last < 0 {
		return 0, nil
	}
	for i := last; i >= 0; i = before[i] {
		path = append(path, i)
	}
	slices.Reverse(path)
	return ends[last], path
}

// topological lists the tasks so that each comes after its dependencies.
func (p *Plan) topological() []int32 {
	order := append(make([]int32, 0, len(p.Tasks)), p.Roots...)
	waiting := make([]int32, len(p.Tasks))
	for i := range p.Tasks {
		waiting[i] = int32(len(p.Tasks[i].Deps))
	}
	for next := 0; next < len(order); next++ {
		for _, s := range p.Tasks[order[next]].Succs {
			if waiting[s]--; waiting[s] == 0 {
				order = append(order, s)
			}
		}
	}
	return order
}

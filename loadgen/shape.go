package loadgen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A shape lists, for each task, the earlier tasks that it waits for.
type shape [][]int32

// MaxShape bounds the N of chain:N and fan:N.
const MaxShape = 100_000

// parseShape reads noop, chain:N, fan:N or diamond; ok is false if s is none of
// these, and so a file's name.
func parseShape(s string) (g shape, ok bool, err error) {
	kind, argument, has := strings.Cut(s, ":")
	switch {
	case s == "noop":
		return shape{nil}, true, nil
	case s == "diamond":
		return shape{nil, {0}, {0}, {1, 2}}, true, nil
	case kind != "chain" && kind != "fan" || !has && s != kind:
		return nil, false, nil
	}
	n, err := strconv.Atoi(argument)
	if err != nil || n < 1 || n > MaxShape {
		return nil, true, fmt.Errorf("%q: want %s:N with N from 1 to %d", s, kind, MaxShape)
	}
	if kind == "chain" {
		g = make(shape, n)
		for i := 1; i < n; i++ {
			g[i] = []int32{int32(i - 1)}
		}
		return g, true, nil
	}
	g = make(shape, n+2)
	for i := 1; i <= n; i++ {
		g[i] = []int32{0}
		g[n+1] = append(g[n+1], int32(i))
	}
	return g, true, nil
}

// shapeOf returns the graph of a plan with its tasks in an order that respects the
// edges.
func shapeOf(p *workflow.Plan) shape {
	position, waits := make([]int32, len(p.Tasks)), make([]int, len(p.Tasks))
	queue := append([]int32(nil), p.Roots...)
	g := make(shape, 0, len(p.Tasks))
	for i := range p.Tasks {
		waits[i] = len(p.Tasks[i].Deps)
	}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		position[i] = int32(len(g))
		deps := make([]int32, 0, len(p.Tasks[i].Deps))
		for _, d := range p.Tasks[i].Deps {
			deps = append(deps, position[d])
		}
		g = append(g, deps)
		for _, s := range p.Tasks[i].Succs {
			if waits[s]--; waits[s] == 0 {
				queue = append(queue, s)
			}
		}
	}
	return g
}

// longest returns the longest path through the bodies' times and overwrites them
// with the paths up to each task.
func (g shape) longest(times []int64) int64 {
	most := int64(0)
	for i, deps := range g {
		before := int64(0)
		for _, d := range deps {
			before = max(before, times[d])
		}
		times[i] += before
		most = max(most, times[i])
	}
	return most
}

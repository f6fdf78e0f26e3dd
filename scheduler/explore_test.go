package scheduler_test

import "testing"

// explore visits every state that any interleaving of a model's threads can reach.
// A model is the protocol reduced to its atomic steps: next returns the
// states that one step of one thread leads to, none if every thread has ended or
// sleeps. Every state is checked for its invariants, and every final one for
// stranded work. It returns the number of states and the first problem.
func explore[S comparable](start S, next func(S) []S, invariant, final func(S) string) (states int, problem string) {
	seen := map[S]bool{start: true}
	todo := []S{start}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p := invariant(s); p != "" {
			return len(seen), p
		}
		after := next(s)
		if len(after) == 0 {
			if p := final(s); p != "" {
				return len(seen), p
			}
		}
		for _, n := range after {
			if !seen[n] {
				seen[n] = true
				todo = append(todo, n)
			}
		}
	}
	return len(seen), ""
}

// mustHold and mustBreak explore a model as it is, and with a fault built in: a
// model that does not find the fault proves nothing.
func mustHold(t *testing.T, name string, states int, problem string) {
	t.Helper()
	if problem != "" {
		t.Errorf("%s: %s (after %d states)", name, problem, states)
	}
	t.Logf("%s: %d states", name, states)
}

func mustBreak(t *testing.T, name string, states int, problem string) {
	t.Helper()
	if problem == "" {
		t.Errorf("%s: the model does not notice the fault (%d states)", name, states)
	}
}

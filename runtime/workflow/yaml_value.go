package workflow

import (
	"strconv"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// template compiles a value with references. Each task that it refers to is
// passed to depend, unless that is nil. what names the value.
func (r *fileReader) template(n *document.Node, what string, depend func(task int)) *template {
	t := new(template)
	r.compile(t, n, what, depend)
	return t
}

func (r *fileReader) compile(t *template, n *document.Node, what string, depend func(task int)) {
	switch n.Kind {
	case document.Null:
		t.text("null")
	case document.Bool, document.Number:
		t.text(n.JSON)
	case document.String:
		if !isReference(n.Text) {
			t.text(jsonString(n.Text))
		} else if ref := r.reference(n, depend); ref != nil {
			t.reference(ref)
		}
	case document.List:
		t.text("[")
		for i, item := range n.Items {
			if i > 0 {
				t.text(",")
			}
			r.compile(t, item, what, depend)
		}
		t.text("]")
	case document.Map:
		t.text("{")
		r.compileFields(t, n, what, depend)
		t.text("}")
	}
}

func (r *fileReader) compileFields(t *template, n *document.Node, what string, depend func(task int)) {
	seen := make(map[string]int, len(n.Fields))
	for i, f := range n.Fields {
		if line, ok := seen[f.Name]; ok {
			r.report(f.Position, ErrSyntax, "remove one of them", "the key %q was given already in line %d", f.Name, line)
		}
		if isReference(f.Name) {
			r.report(f.Position, ErrSyntax, "write the key as plain text", "the key %q in %s holds a reference", f.Name, what)
		}
		seen[f.Name] = f.Line
		if i > 0 {
			t.text(",")
		}
		t.text(jsonString(f.Name))
		t.text(":")
		r.compile(t, f.Value, what, depend)
	}
}

// reference reads a string that holds one; nil if it is wrong.
func (r *fileReader) reference(n *document.Node, depend func(task int)) *reference {
	ref, problem, cure := parseReference(n.Text)
	if problem != "" {
		r.report(n.Position, ErrSyntax, cure, "%s", problem)
		return nil
	}
	if ref.name != "" {
		task, ok := r.task(ref.name, n.Position, "the reference "+ref.text)
		if !ok {
			return nil
		}
		ref.task = task
		if depend != nil {
			depend(task)
		}
	}
	return &ref
}

// cmd reads an argument list; nil if it is wrong.
func (r *fileReader) cmd(n *document.Node, depend func(task int)) *cmdTask {
	const cure = "write a list: cmd: [program, argument, ...]"
	if !r.is(n, document.List, "cmd", cure) {
		return nil
	}
	if len(n.Items) == 0 || n.Items[0].Kind == document.String && n.Items[0].Text == "" {
		r.report(n.Position, ErrSyntax, cure, "cmd names no program")
		return nil
	}
	task := &cmdTask{argv: make([]argument, len(n.Items))}
	for i, item := range n.Items {
		switch {
		case item.Kind == document.String && isReference(item.Text):
			task.argv[i].ref = r.reference(item, depend)
		case item.Kind == document.String || item.Kind == document.Number || item.Kind == document.Bool:
			task.argv[i].literal = item.Text // as it is written: 1.10 stays 1.10
		default:
			r.is(item, document.String, "an element of cmd", "write text or a number, or pass the value through with")
		}
		if strings.IndexByte(item.Text, 0) >= 0 {
			r.report(item.Position, ErrSyntax, "pass such data through with", "an element of cmd holds a zero byte")
		}
	}
	return task
}

// retry reads a policy. A backoff or max_backoff of 0s is no wait at all, not
// the default, which a zero field of the policy would mean.
func (r *fileReader) retry(n *document.Node) retry.Policy {
	var p retry.Exponential
	noWait := false
	wait := func(v *document.Node, what string) time.Duration {
		before := len(r.list)
		d := r.duration(v, what)
		noWait = noWait || d == 0 && len(r.list) == before
		return d
	}
	before := len(r.list)
	r.fields(n, "retry", keys{
		"max":         func(v *document.Node) { p.MaxAttempts = r.attempts(v) },
		"backoff":     func(v *document.Node) { p.Base = wait(v, "backoff") },
		"max_backoff": func(v *document.Node) { p.Max = wait(v, "max_backoff") },
		"jitter":      func(v *document.Node) { p.Jitter = r.jitter(v) },
		"max_elapsed": func(v *document.Node) { p.MaxElapsed = r.duration(v, "max_elapsed") },
	})
	switch {
	case len(r.list) > before:
	case p.Base > p.Max && (p.Max > 0 || noWait):
		r.report(n.Position, ErrBadOption, "give a longer max_backoff", "retry: backoff %s is longer than max_backoff %s", p.Base, p.Max)
	case noWait:
		return retry.Constant{MaxAttempts: p.MaxAttempts, MaxElapsed: p.MaxElapsed}
	case p.Max > 0 && p.Base == 0:
		p.Base = min(retry.DefaultBase, p.Max)
	}
	return p
}

func (r *fileReader) attempts(n *document.Node) int {
	const cure = "give a whole number of attempts of 1 or more"
	if !r.is(n, document.Number, "max", cure) {
		return 0
	}
	count, err := strconv.ParseInt(n.JSON, 10, 32)
	if err != nil || count < 1 {
		r.report(n.Position, ErrBadOption, cure, "max: %s is not a number of attempts", n.Text)
	}
	return int(count)
}

func (r *fileReader) jitter(n *document.Node) float64 {
	const cure = "give a share of the wait, 0 to 1"
	if !r.is(n, document.Number, "jitter", cure) {
		return 0
	}
	share, err := strconv.ParseFloat(n.JSON, 64)
	if err != nil || !(share >= 0 && share <= 1) {
		r.report(n.Position, ErrBadOption, cure, "jitter: %s is out of range", n.Text)
	}
	return share
}

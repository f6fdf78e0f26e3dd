package workflow

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
	"github.com/ringmill/ringmill/runtime/workflow/internal/expression"
)

// policies are those that the tasks of a file refer to by name.
type policies struct {
	breakers    map[string]CircuitBreaker
	rates       map[string]RateLimiter
	concurrency map[string]ConcurrencyLimiter
}

// newPolicies returns those that the program shares with a file.
func newPolicies(c *parseConfig) policies {
	return policies{withMap(c.shared.breakers), withMap(c.shared.rates), withMap(c.shared.concurrency)}
}

// withMap returns a copy that can be added to.
func withMap[V any](m map[string]V) map[string]V {
	if m == nil {
		return make(map[string]V)
	}
	return maps.Clone(m)
}

// Breakers gives files breakers of the program's own, which several workflows
// share, by name. A name that a file declares itself is the file's.
func Breakers(named map[string]CircuitBreaker) ParseOption {
	return func(c *parseConfig) { share(c, "Breakers", &c.shared.breakers, named) }
}

// RateLimits gives files rate limits of the program's own, as [Breakers] does.
func RateLimits(named map[string]RateLimiter) ParseOption {
	return func(c *parseConfig) { share(c, "RateLimits", &c.shared.rates, named) }
}

// ConcurrencyLimits gives files concurrency limits of the program's own, as
// [Breakers] does.
func ConcurrencyLimits(named map[string]ConcurrencyLimiter) ParseOption {
	return func(c *parseConfig) { share(c, "ConcurrencyLimits", &c.shared.concurrency, named) }
}

func share[V any](c *parseConfig, option string, into *map[string]V, named map[string]V) {
	if *into == nil {
		*into = make(map[string]V)
	}
	for name, v := range named {
		if isNil(v) {
			c.reject("%s: %q is nil: leave it out", option, name)
			continue
		}
		(*into)[name] = v
	}
}

// declared reads a map of named policies. Names must not repeat.
func (r *fileReader) declared(n *document.Node, what string, read func(name string, v *document.Node)) {
	known := make(keys, len(n.Fields))
	for _, f := range n.Fields {
		if why := badName(f.Name); why != "" {
			r.report(f.Position, ErrBadName, nameCure, "the name %s", why)
		}
		known[f.Name] = func(v *document.Node) { read(f.Name, v) }
	}
	r.fields(n, what, known)
}

func (r *fileReader) breakers(n *document.Node) {
	r.declared(n, "breakers", func(name string, v *document.Node) {
		cfg := breaker.Config{Name: name, Now: r.config.now}
		before := len(r.list)
		r.fields(v, "breaker "+name, keys{
			"failures": func(v *document.Node) { cfg.Failures = r.count(v, "failures", "failures", math.MaxInt32) },
			"failure_rate": func(v *document.Node) {
				cfg.FailureRate = r.number(v, "failure_rate", "give a share of the calls, more than 0, at most 1", 0, 1)
			},
			"window":   func(v *document.Node) { cfg.Window = r.count(v, "window", "calls", 1_000_000) },
			"open_for": func(v *document.Node) { cfg.OpenFor = r.duration(v, "open_for") },
			"trials":   func(v *document.Node) { cfg.Trials = r.count(v, "trials", "trials", breaker.MaxTrials) },
		})
		if len(r.list) > before {
			r.policy.breakers[name] = nil // known, so that no task complains
			return
		}
		b, err := breaker.New(cfg)
		if err != nil {
			r.report(v.Position, ErrBadOption, "correct it", "%v", err)
		}
		r.policy.breakers[name] = b
	})
}

func (r *fileReader) rateLimits(n *document.Node) {
	r.declared(n, "rate_limits", func(name string, v *document.Node) {
		cfg := limit.RateConfig{Name: name, Now: r.config.now}
		before := len(r.list)
		r.fields(v, "rate limit "+name, keys{
			"per_second": func(v *document.Node) {
				cfg.PerSecond = r.number(v, "per_second", "give a number more than 0, at most 1e9", 0, 1e9)
			},
			"burst":    func(v *document.Node) { cfg.Burst = r.count(v, "burst", "calls", 1_000_000_000) },
			"max_wait": func(v *document.Node) { cfg.MaxWait = r.duration(v, "max_wait") },
		})
		r.policy.rates[name] = nil
		switch {
		case len(r.list) > before:
			return
		case cfg.PerSecond == 0:
			r.report(v.Position, ErrBadOption, "write per_second: N", "rate limit %s does not say how many calls a second", name)
			return
		}
		rate, err := limit.NewRate(cfg)
		if err != nil {
			r.report(v.Position, ErrBadOption, "correct it", "%v", err)
		}
		r.policy.rates[name] = rate
	})
}

func (r *fileReader) concurrencyLimits(n *document.Node) {
	r.declared(n, "concurrency_limits", func(name string, v *document.Node) {
		r.policy.concurrency[name] = nil
		if places := r.count(v, name, "tasks", limit.MaxConcurrency); places > 0 {
			c, _ := limit.NewConcurrency(places) // in range
			r.policy.concurrency[name] = c
		}
	})
}

// named finds what a task refers to by name.
func named[V any](r *fileReader, n *document.Node, what, where string, known map[string]V) (found V, ok bool) {
	if !r.is(n, document.String, what, "write the name of one of "+where) {
		return found, false
	}
	found, ok = known[n.Text]
	if !ok {
		r.report(n.Position, ErrUnknownPolicy, didYouMean(n.Text, maps.Keys(known), "declare it under "+where+" of the workflow"),
			"%s names %q, which does not exist", what, n.Text)
	}
	return found, ok
}

// concurrency reads a limit's name, or a limit and a key.
func (t *taskReader) concurrency(n *document.Node) *ConcurrencyPolicy {
	policy := new(ConcurrencyPolicy)
	const where = "concurrency_limits"
	if n.Kind != document.Map {
		policy.Limit, _ = named(t.fileReader, n, "concurrency", where, t.policy.concurrency)
		return policy
	}
	given := false
	t.fields(n, "concurrency", keys{
		"limit": func(v *document.Node) {
			given = true
			policy.Limit, _ = named(t.fileReader, v, "limit", where, t.policy.concurrency)
		},
		"key": func(v *document.Node) { policy.Key = t.key(v) },
	})
	if !given {
		t.report(n.Position, ErrSyntax, "write concurrency: {limit: NAME, key: ...}", "concurrency names no limit")
	}
	return policy
}

// key reads a text with expressions that names something.
func (t *taskReader) key(n *document.Node) func(Inputs) (string, error) {
	if n.Kind != document.String && n.Kind != document.Number {
		t.is(n, document.String, "key", "write text with expressions: key: \"${{ input.user }}\"")
		return nil
	}
	text := t.mixed(n, t.wholeRoots, func(p *program) {
		for _, task := range p.tasks {
			t.depend(task)
		}
	})
	return func(in Inputs) (string, error) { return text.render(&scope{Inputs: in}, "a key") }
}

// cache reads how long results are kept, and under which key. The default key is
// made of the task as it is written and of all that its expressions refer to.
func (t *taskReader) cache(n, task *document.Node, foreach *template) *CachePolicy {
	policy := new(CachePolicy)
	t.fields(n, "cache", keys{
		"ttl": func(v *document.Node) { policy.TTL = t.duration(v, "ttl") },
		"key": func(v *document.Node) { policy.Key = t.key(v) },
	})
	if policy.Key != nil {
		return policy
	}
	programs := slices.Clone(t.programs)
	for _, p := range programs {
		for _, ref := range p.Refs() {
			if ref.Root == "run" && !slices.ContainsFunc(ref.Path, func(s expression.Step) bool { return s.Key == "workflow" }) {
				t.report(n.Position, ErrBadOption, "write cache: {key: ...} without it", "the task is cached and refers to %s, which no two runs share", ref.Text)
				return policy
			}
		}
	}
	written := fingerprint(task)
	policy.Key = func(in Inputs) (string, error) { return defaultKey(written, programs, in), nil }
	return policy
}

// defaultKey hashes what a task is made of and reads.
func defaultKey(written []byte, programs []*program, in Inputs) string {
	h := sha256.New()
	h.Write(written)
	s := &scope{Inputs: in}
	for _, p := range programs {
		for _, ref := range p.Refs() {
			if slices.Contains(rootsOfItem, ref.Root) || slices.Contains(rootsOfRepeat, ref.Root) || ref.Root == "output" || ref.Root == "tasks" && ref.Task == "" {
				continue // follows from the rest
			}
			value, err := p.resolve(ref, s)
			if err != nil {
				value = []byte(err.Error()) // so will the task fail
			}
			fmt.Fprintf(h, "%d %s %d ", len(ref.Text), ref.Text, len(value))
			h.Write(value)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fingerprint hashes a value as it is written.
func fingerprint(n *document.Node) []byte {
	h := sha256.New()
	var walk func(n *document.Node)
	walk = func(n *document.Node) {
		fmt.Fprintf(h, "%d %d %s ", n.Kind, len(n.Text), n.Text)
		for _, item := range n.Items {
			walk(item)
		}
		for _, f := range n.Fields {
			fmt.Fprintf(h, "%d %s ", len(f.Name), f.Name)
			walk(f.Value)
		}
	}
	walk(n)
	return h.Sum(nil)
}

// count reads a whole number from 1 to most; 0 if it is wrong.
func (r *fileReader) count(n *document.Node, what, noun string, most int64) int {
	cure := fmt.Sprintf("give a whole number of %s, 1 to %d", noun, most)
	if !r.is(n, document.Number, what, cure) {
		return 0
	}
	count, err := strconv.ParseInt(n.JSON, 10, 64)
	if err != nil || count < 1 || count > most {
		r.report(n.Position, ErrBadOption, cure, "%s: %s is not a number of %s", what, n.Text, noun)
		return 0
	}
	return int(count)
}

// number reads a number above low, at most high; 0 if it is wrong.
func (r *fileReader) number(n *document.Node, what, cure string, low, high float64) float64 {
	if !r.is(n, document.Number, what, cure) {
		return 0
	}
	f, err := strconv.ParseFloat(n.JSON, 64)
	if err != nil || !(f > low && f <= high) {
		r.report(n.Position, ErrBadOption, cure, "%s: %s is out of range", what, n.Text)
		return 0
	}
	return f
}

func (r *fileReader) boolean(n *document.Node, what string) bool {
	return r.is(n, document.Bool, what, "write true or false") && n.JSON == "true"
}

// word reads one of several words, which stand for the values from first on.
func word[V ~uint8](r *fileReader, n *document.Node, what string, words []string, first V) V {
	if n.Kind == document.String {
		if i := slices.Index(words, n.Text); i >= 0 {
			return first + V(i)
		}
	}
	if n.Kind != document.String {
		r.is(n, document.String, what, "use "+strings.Join(words, ", "))
		return first
	}
	r.report(n.Position, ErrBadOption, didYouMean(n.Text, slices.Values(words), "use "+strings.Join(words, ", ")), "%s: %q is unknown", what, n.Text)
	return first
}

// literal writes a value without expressions as JSON.
func (r *fileReader) literal(out interface{ Write([]byte) (int, error) }, n *document.Node, what string) {
	t := r.template(n, what, nil, nil)
	if t == nil || t.dynamic() {
		return // reported, or empty
	}
	_, _ = out.Write(t.pieces[0].literal)
}

// sketch writes a value as JSON, its expressions as the strings that they are
// written in.
func sketch(n *document.Node) (json.RawMessage, error) {
	var value func(n *document.Node) any
	value = func(n *document.Node) any {
		switch n.Kind {
		case document.Null:
			return nil
		case document.Bool, document.Number:
			return json.RawMessage(n.JSON)
		case document.String:
			return n.Text
		case document.List:
			list := make([]any, len(n.Items))
			for i, item := range n.Items {
				list[i] = value(item)
			}
			return list
		}
		object := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			object[f.Name] = value(f.Value)
		}
		return object
	}
	return expression.Encode(value(n))
}

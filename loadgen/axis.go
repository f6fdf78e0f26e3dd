package loadgen

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmill/ringmill/runtime"
)

// An Axis is a dimension of a grid: a setting and the values it takes.
type Axis struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// settings change one field of a configuration. size says that a smaller value
// costs less.
var settings = map[string]struct {
	size bool
	set  func(c *Config, value string) error
}{
	"mailbox":         {true, whole(runtime.MaxMailboxCapacity, func(c *Config, n int) { c.Runtime.MailboxCapacity = n })},
	"task-actors":     {true, whole(runtime.MaxActors, func(c *Config, n int) { c.Runtime.TaskActors = n })},
	"workflow-actors": {true, whole(runtime.MaxActors, func(c *Config, n int) { c.Runtime.WorkflowActors = n })},
	"max-runs":        {true, whole(runtime.MaxMaxRuns, func(c *Config, n int) { c.Runtime.MaxRuns = n })},
	"max-inflight":    {true, whole(MaxInFlight, func(c *Config, n int) { c.MaxInFlight = n })},
	"concurrency":     {false, whole(MaxConcurrency, func(c *Config, n int) { c.Concurrency, c.Rate, c.Stages = n, 0, nil })},
	"mailbox-kind":    {false, word(runtime.ParseMailboxKind, func(c *Config, s string) { c.Runtime.MailboxKind = s })},
	"policy":          {false, word(runtime.ParsePolicy, func(c *Config, s string) { c.Runtime.Policy = s })},
	"schedule":        {false, word(runtime.ParseSchedule, func(c *Config, s runtime.Schedule) { c.Runtime.Schedule = s })},
	"overflow":        {false, word(runtime.ParseOverflow, func(c *Config, o runtime.Overflow) { c.Runtime.Overflow = o })},
	"rate":            {false, word(ParseRate, func(c *Config, r float64) { c.Rate, c.Stages, c.Concurrency = r, nil, 0 })},
	"work":            {false, word(ParseWork, func(c *Config, w Work) { c.Workload.Work = w })},
	"workflow":        {false, word(parseWorkflow, func(c *Config, s string) { c.Workload.Workflow, c.Workload.Definition = s, nil })},
}

func whole(most int, set func(*Config, int)) func(*Config, string) error {
	return func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > most {
			return fmt.Errorf("%q is out of range; want a whole number from 1 to %d", value, most)
		}
		set(c, n)
		return nil
	}
}

func word[T any](parse func(string) (T, error), set func(*Config, T)) func(*Config, string) error {
	return func(c *Config, value string) error {
		v, err := parse(value)
		if err == nil {
			set(c, v)
		}
		return err
	}
}

func parseWorkflow(s string) (string, error) {
	_, ok, err := parseShape(s)
	if err == nil && !ok {
		err = fmt.Errorf("%q is unknown; want noop, chain:N, fan:N or diamond", s)
	}
	return s, err
}

// AxisNames returns the settings that a grid can vary, sorted.
func AxisNames() []string {
	var names []string
	for name := range settings {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ParseAxis reads NAME=VALUE,VALUE,... such as mailbox=16,64,256. The values of work
// may have commas, so they are separated by semicolons there.
func ParseAxis(s string) (Axis, error) {
	name, values, ok := strings.Cut(s, "=")
	if !ok || values == "" {
		return Axis{}, fmt.Errorf("%q is no dimension; want NAME=VALUE,VALUE such as mailbox=16,64,256", s)
	}
	separator := ","
	if name == "work" && strings.Contains(values, ";") {
		separator = ";"
	}
	a := Axis{Name: name, Values: strings.Split(values, separator)}
	return a, a.check()
}

func (a Axis) check() error {
	setting, ok := settings[a.Name]
	if !ok {
		return fmt.Errorf("%q is unknown; want one of %s", a.Name, strings.Join(AxisNames(), ", "))
	}
	if len(a.Values) == 0 {
		return fmt.Errorf("%s has no values", a.Name)
	}
	var problems []error
	for i, v := range a.Values {
		if err := setting.set(&Config{}, v); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", a.Name, err))
		}
		if slices.Contains(a.Values[:i], v) {
			problems = append(problems, fmt.Errorf("%s: %q is there twice", a.Name, v))
		}
	}
	return errors.Join(problems...)
}

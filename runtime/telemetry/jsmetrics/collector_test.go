package jsmetrics_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/ringmill/ringmill/runtime/js"
	"github.com/ringmill/ringmill/runtime/telemetry/jsmetrics"
)

// TestCollector: what an engine did comes out, and names follow the conventions.
func TestCollector(t *testing.T) {
	e, err := js.New(js.Config{})
	if errors.Is(err, js.ErrNoEngine) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for _, code := range []string{"return 1", "return 2", "throw new Error('x')"} {
		s, err := e.Compile(t.Context(), js.Source{Code: code})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Run(t.Context(), s, js.Input{}); err != nil && js.ClassOf(err) != js.ClassScript {
			t.Fatal(err)
		}
	}
	c := jsmetrics.NewCollector(func() *js.Engine { return e })
	for name, want := range map[string]string{
		"ringmill_js_calls_total": `
			# HELP ringmill_js_calls_total Calls of scripts that ended.
			# TYPE ringmill_js_calls_total counter
			ringmill_js_calls_total 3
			`,
		"ringmill_js_failures_total": `
			# HELP ringmill_js_failures_total Calls that failed, by class.
			# TYPE ringmill_js_failures_total counter
			ringmill_js_failures_total{class="host"} 0
			ringmill_js_failures_total{class="oom"} 0
			ringmill_js_failures_total{class="saturated"} 0
			ringmill_js_failures_total{class="script"} 1
			ringmill_js_failures_total{class="timeout"} 0
			ringmill_js_failures_total{class="trap"} 0
			`,
		"ringmill_js_scripts": `
			# HELP ringmill_js_scripts Scripts in the compile cache.
			# TYPE ringmill_js_scripts gauge
			ringmill_js_scripts 3
			`,
	} {
		if err := testutil.CollectAndCompare(c, strings.NewReader(want), name); err != nil {
			t.Error(err)
		}
	}
	problems, err := testutil.CollectAndLint(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "ringmill_js_run_seconds" {
			if h := f.GetMetric()[0].GetHistogram(); h.GetSampleCount() != 3 || h.GetSampleSum() <= 0 {
				t.Errorf("%d runs took %v s", h.GetSampleCount(), h.GetSampleSum())
			}
		}
	}
}

// TestNoEngine: as long as there is none there are no series.
func TestNoEngine(t *testing.T) {
	tasks := js.NewTasks(js.Config{}, nil)
	if n := testutil.CollectAndCount(jsmetrics.NewCollector(tasks.Started)); n != 0 {
		t.Errorf("%d series without an engine", n)
	}
}

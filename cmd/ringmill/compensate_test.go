package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCompensations: what was undone, and what could not be, is in the table, the summary and the object, with the
// run's id.
func TestCompensations(t *testing.T) {
	t.Parallel()
	const file = `
tasks:
  reserve: {cmd: [echo, "7"], compensate: {cmd: ["false"], retry: {max: 2, backoff: 1ms}}}
  pay: {cmd: [echo, "${{ item }}"], foreach: [10, 20], limit: 1, needs: [reserve], compensate: {cmd: [test, "${{ output }}", "-eq", "${{ item }}"]}}
  skip: {cmd: ["true"], when: false}
  ship: {cmd: ["false"], needs: [pay]}
`
	r := ringmill(t, file, "run", "wf.yaml", "--run-id", "o-1")
	for _, want := range []string{
		"COMPENSATION OF  STATUS     ATTEMPTS", "pay, item 1      succeeded         1", "pay, item 0      succeeded         1", "reserve          failed            2",
		"RUN o-1: failed", "compensation of task reserve, attempt 2: command false", "compensations  3: 2 succeeded, 1 failed", "1 skipped", "\nundo pay, item 0  |", "\nundo reserve      |",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
	if r.code != 1 {
		t.Errorf("exit code %d", r.code)
	}
	r = ringmill(t, file, "run", "wf.yaml", "--run-id", "o-1", "--json")
	var o struct {
		RunID         string `json:"run_id"`
		Tasks         []struct{ Actor *int }
		Compensations []struct {
			Name, Status string
			Attempts     int
			Item         *int
			Error        *string
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatal(err)
	}
	if o.RunID != "o-1" || len(o.Compensations) != 3 || o.Tasks[0].Actor == nil || o.Tasks[2].Actor != nil {
		t.Fatalf("%+v", o)
	}
	first, last := o.Compensations[0], o.Compensations[2]
	if first.Name != "pay" || first.Item == nil || *first.Item != 1 || first.Error != nil {
		t.Errorf("%+v", first)
	}
	if last.Name != "reserve" || last.Status != "failed" || last.Attempts != 2 || last.Item != nil || last.Error == nil {
		t.Errorf("%+v", last)
	}
	for _, args := range [][]string{{"--run-id", "x", "--count", "2"}, {"--run-id", ""}, {"--run-id", strings.Repeat("x", 1025)}} {
		if r := ringmill(t, file, append([]string{"run", "wf.yaml"}, args...)...); r.code != 2 || !strings.Contains(r.stderr, "--run-id: ") {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}

package actorlist_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/actor/registry"
	"github.com/ringmill/ringmill/runtime/telemetry/actorlist"
)

func ask(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func list(t *testing.T, h http.Handler, target string, header ...string) actorlist.List {
	t.Helper()
	w := ask(h, target, header...)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d, %s: %s", target, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	var l actorlist.List
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func names(l actorlist.List) string {
	var all []string
	for _, a := range l.Actors {
		all = append(all, a.Name)
	}
	return strings.Join(all, " ")
}

func fixed() []actor.ActorStats {
	return []actor.ActorStats{
		{Name: "mail-a", Type: "main.letter", State: actor.StateIdle, Capacity: 8, Handled: 30},
		{Name: "mail-b", Type: "main.letter", State: actor.StateBusy, Depth: 5, Capacity: 8, Handled: 10, Dropped: 2,
			Wait:    actor.Times{Count: 4, Mean: 3 * time.Microsecond, Max: 9 * time.Microsecond},
			Service: actor.Times{Count: 4, Mean: time.Millisecond, Max: 2 * time.Millisecond}},
		{Name: "", Type: "int", State: actor.StateBackingOff, Depth: 7, Capacity: 8},
		{Name: "a\tb", Type: "int", State: actor.StateIdle, Capacity: 1, Handled: 20,
			Wait: actor.Times{Count: 1, Mean: time.Second, Max: time.Second}},
	}
}

func TestQueries(t *testing.T) {
	h := actorlist.Handler(fixed)
	for target, want := range map[string]string{
		"/?format=json":                      " mail-b a\tb mail-a",
		"/?format=json&sort=name":            " a\tb mail-a mail-b",
		"/?format=json&sort=handled":         "mail-a a\tb mail-b ",
		"/?format=json&sort=wait&limit=2":    "a\tb mail-b",
		"/?format=json&sort=service&limit=1": "mail-b",
		"/?format=json&state=idle":           "a\tb mail-a",
		"/?format=json&state=backing-off":    "",
		"/?format=json&name=mail-":           "mail-b mail-a",
		"/?format=json&name=nobody":          "",
	} {
		if l := list(t, h, target); names(l) != want || l.Total != 4 || l.At.IsZero() {
			t.Errorf("%s: %q of %d, want %q of 4", target, names(l), l.Total, want)
		}
	}
	l := list(t, h, "/?state=idle&limit=1", "Accept", "application/json")
	if l.Match != 2 || len(l.Actors) != 1 {
		t.Errorf("%d match, %d shown; want 2 and 1", l.Match, len(l.Actors))
	}
	if l := list(t, h, "/?format=json&name=mail-b"); l.Actors[0] != fixed()[1] {
		t.Errorf("%+v, want %+v", l.Actors[0], fixed()[1])
	}
	if l := list(t, h, "/?format=json&state=backing-off"); l.Match != 1 { // it has no name
		t.Errorf("%d match, want 1", l.Match)
	}
	if body := ask(h, "/?format=json&name=nobody").Body.String(); !strings.Contains(body, `"actors":[]`) {
		t.Errorf("no actors are %s", body)
	}
}

func TestTable(t *testing.T) {
	w := ask(actorlist.Handler(fixed), "/")
	if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %s", got)
	}
	lines := strings.Split(w.Body.String(), "\n")
	if !strings.HasPrefix(lines[0], "4 actors, 4 match, 4 shown, 20") {
		t.Errorf("it begins with %q", lines[0])
	}
	var rows [][]string
	for _, line := range lines[2:] {
		rows = append(rows, strings.Fields(line))
	}
	for i, want := range []string{
		"NAME STATE DEPTH CAPACITY HANDLED DROPPED WAIT MEAN MAX SERVICE MEAN MAX MESSAGES",
		"- backing off 7 8 0 0 - - - - int",
		"mail-b busy 5 8 10 2 3µs 9µs 1ms 2ms main.letter",
		`"a\tb" idle 0 1 20 0 1s 1s - - int`,
		"mail-a idle 0 8 30 0 - - - - main.letter",
	} {
		if got := strings.Join(rows[i], " "); got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}

func TestWrongParameters(t *testing.T) {
	h := actorlist.Handler(fixed)
	for target, want := range map[string]string{
		"/?format=xml":   `format: "xml" cannot be used; want text or json`,
		"/?sort=size":    `sort: "size" cannot be used; want depth, handled, name, service, wait`,
		"/?state=asleep": `state: "asleep" cannot be used; want backing-off, busy, idle, stopped, stopping`,
		"/?limit=0":      `limit: "0" cannot be used; want 1 to 100000`,
		"/?limit=ten":    `limit: "ten" cannot be used; want 1 to 100000`,
		"/?top=3":        `parameter top is unknown; want format, limit, name, sort or state`,
		"/?a=%zz":        `the query "a=%zz" cannot be read`,
	} {
		if w := ask(h, target); w.Code != http.StatusBadRequest || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s: %d, %q; want 400 and %q", target, w.Code, w.Body, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Handler(nil) did not panic")
		}
	}()
	actorlist.Handler(nil)
}

// TestWhileNamedActorsComeAndGo: the list of a registry is one moment's. Actors keep-* are there all the time and each is in
// every answer, once; pair-n-a is entered before pair-n-b and leaves after it, so no list has the second alone.
func TestWhileNamedActorsComeAndGo(t *testing.T) {
	sys, err := actor.NewSystem(actor.SystemConfig{Sample: true})
	if err != nil {
		t.Fatal(err)
	}
	names := registry.New(sys)
	spawn := func(name string) actor.Ref[int] {
		ref, err := registry.Spawn(names, name, func(*actor.Context[int], int) error { return nil }, actor.Config{})
		if err != nil {
			t.Error(err)
		}
		return ref
	}
	const kept = 20
	for i := range kept {
		ref := spawn(fmt.Sprintf("keep-%d", i))
		for m := range 200 { // some are sampled
			if err := ref.Tell(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan struct{})
	var churn sync.WaitGroup
	for g := range 2 {
		churn.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				name := fmt.Sprintf("pair-%d-%d", g, i)
				first, second := spawn(name+"-a"), spawn(name+"-b")
				for _, ref := range []actor.Ref[int]{second, first} {
					if err := ref.Stop(ctx); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	h := actorlist.Handler(names.Actors)
	for range 200 {
		l := list(t, h, "/?format=json&sort=name")
		seen := make(map[string]bool)
		for _, a := range l.Actors {
			if seen[a.Name] {
				t.Errorf("%s is listed twice", a.Name)
			}
			seen[a.Name] = true
		}
		for i := range kept {
			if name := fmt.Sprintf("keep-%d", i); !seen[name] {
				t.Errorf("%s is missing", name)
			}
		}
		for name := range seen {
			if first, ok := strings.CutSuffix(name, "-b"); ok && !seen[first+"-a"] {
				t.Errorf("%s is listed without %s-a", name, first)
			}
		}
	}
	close(done)
	churn.Wait()
	if !slices.ContainsFunc(list(t, h, "/?format=json&name=keep-").Actors, func(a actor.ActorStats) bool {
		return a.Handled == 200 && a.Wait.Count > 0 && a.Service.Count > 0
	}) {
		t.Error("no kept actor shows its 200 messages and sampled times")
	}
	if err := sys.Stop(ctx); err != nil {
		t.Error(err)
	}
}

package actorlist

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

const (
	defaultLimit = 1000
	maxLimit     = 100_000
)

// query is what a request asks for.
type query struct {
	json  bool
	sort  string
	state actor.State // empty: all
	name  string
	limit int
}

// orders compare for the parameter sort.
var orders = map[string]func(a, b *actor.ActorStats) int{
	"depth":   func(a, b *actor.ActorStats) int { return cmp.Compare(b.Depth, a.Depth) },
	"handled": func(a, b *actor.ActorStats) int { return cmp.Compare(b.Handled, a.Handled) },
	"wait":    func(a, b *actor.ActorStats) int { return cmp.Compare(b.Wait.Max, a.Wait.Max) },
	"service": func(a, b *actor.ActorStats) int { return cmp.Compare(b.Service.Max, a.Service.Max) },
	"name":    func(a, b *actor.ActorStats) int { return cmp.Compare(a.Name, b.Name) },
}

// states are the values of the parameter state.
var states = map[string]actor.State{
	"idle": actor.StateIdle, "busy": actor.StateBusy, "backing-off": actor.StateBackingOff,
	"stopping": actor.StateStopping, "stopped": actor.StateStopped,
}

// parse reads the parameters of r. Its error names the one that is wrong, its value and what is wanted.
func parse(r *http.Request) (query, error) {
	q := query{sort: "depth", limit: defaultLimit, json: strings.Contains(r.Header.Get("Accept"), "application/json")}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, fmt.Errorf("the query %q cannot be read: %w", r.URL.RawQuery, err)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values.Get(key)
		switch key {
		case "format":
			if value != "json" && value != "text" {
				return q, wrong(key, value, "text or json")
			}
			q.json = value == "json"
		case "sort":
			if orders[value] == nil {
				return q, wrong(key, value, strings.Join(slices.Sorted(maps.Keys(orders)), ", "))
			}
			q.sort = value
		case "state":
			if q.state = states[value]; q.state == "" {
				return q, wrong(key, value, strings.Join(slices.Sorted(maps.Keys(states)), ", "))
			}
		case "name":
			q.name = value
		case "limit":
			if q.limit, err = strconv.Atoi(value); err != nil || q.limit < 1 || q.limit > maxLimit {
				return q, wrong(key, value, fmt.Sprintf("1 to %d", maxLimit))
			}
		default:
			return q, fmt.Errorf("parameter %s is unknown; want format, limit, name, sort or state", key)
		}
	}
	return q, nil
}

func wrong(key, value, want string) error {
	return fmt.Errorf("%s: %q cannot be used; want %s", key, value, want)
}

// list picks from all, which it may change, what q asks for.
func (q *query) list(all []actor.ActorStats) List {
	l := List{At: time.Now(), Total: len(all)}
	found := slices.DeleteFunc(all, func(a actor.ActorStats) bool {
		return q.state != "" && a.State != q.state || !strings.HasPrefix(a.Name, q.name)
	})
	l.Match = len(found)
	order := orders[q.sort]
	slices.SortStableFunc(found, func(a, b actor.ActorStats) int {
		return cmp.Or(order(&a, &b), cmp.Compare(a.Name, b.Name))
	})
	l.Actors = found[:min(len(found), q.limit):min(len(found), q.limit)]
	if l.Actors == nil {
		l.Actors = []actor.ActorStats{} // in JSON an empty list, not null
	}
	return l
}

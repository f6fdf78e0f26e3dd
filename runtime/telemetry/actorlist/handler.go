package actorlist

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

// A List is the answer in JSON.
type List struct {
	At     time.Time          `json:"at"`     // when the list was made
	Total  int                `json:"total"`  // actors there are
	Match  int                `json:"match"`  // of those, what state and name ask for
	Actors []actor.ActorStats `json:"actors"` // of those, the first ones, up to limit
}

// Handler answers requests with what actors returns, which must be safe for concurrent use and return a slice of its own each time: it is
// sorted in place. It panics if actors is nil.
func Handler(actors func() []actor.ActorStats) http.Handler {
	if actors == nil {
		panic("actorlist: Handler: actors is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := parse(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		l := q.list(actors())
		w.Header().Set("Cache-Control", "no-store")
		if q.json {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(l) // fails only if the client has gone
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		writeTable(w, l)
	})
}

// writeTable writes l for people. What cannot be written has no reader any more.
func writeTable(to io.Writer, l List) {
	fmt.Fprintf(to, "%d actors, %d match, %d shown, %s\n\n", l.Total, l.Match, len(l.Actors), l.At.Format(time.RFC3339))
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tDEPTH\tCAPACITY\tHANDLED\tDROPPED\tWAIT MEAN\tMAX\tSERVICE MEAN\tMAX\tMESSAGES")
	for i := range l.Actors {
		a := &l.Actors[i]
		waitMean, waitMax := times(a.Wait)
		serviceMean, serviceMax := times(a.Service)
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", name(a.Name), a.State,
			a.Depth, a.Capacity, a.Handled, a.Dropped, waitMean, waitMax, serviceMean, serviceMax, a.Type)
	}
	_ = table.Flush()
}

// name keeps a name in its cell.
func name(s string) string {
	if s == "" {
		return "-"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

func times(t actor.Times) (mean, longest string) {
	if t.Count == 0 {
		return "-", "-"
	}
	return t.Mean.String(), t.Max.String()
}

package actorlist_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/actor/registry"
	"github.com/ringmill/ringmill/runtime/telemetry/actorlist"
)

func ExampleHandler() {
	sys, err := actor.NewSystem(actor.SystemConfig{})
	if err != nil {
		panic(err)
	}
	names := registry.New(sys)
	for _, name := range []string{"orders", "mail"} {
		if _, err := registry.Spawn(names, name, func(*actor.Context[int], int) error { return nil }, actor.Config{}); err != nil {
			panic(err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /debug/actors", actorlist.Handler(names.Actors))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/actors?format=json&limit=1&sort=name", nil))
	var list actorlist.List
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
		panic(err)
	}
	fmt.Println(list.Total, "actors, the first is", list.Actors[0].Name, "and", list.Actors[0].State)
	if err := sys.Stop(context.Background()); err != nil {
		panic(err)
	}
	// Output: 2 actors, the first is mail and idle
}

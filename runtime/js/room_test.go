package js_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/js"
)

// TestNoRoom: when the operating system has no memory for a guest, a call and a
// compilation wait longer for it than for anything else, but not beyond their limit.
func TestNoRoom(t *testing.T) {
	e := engine(t, js.Config{})
	js.RefuseMemory(e, 2)
	begun := time.Now()
	want(t, e, "return 1", "", "1")
	if took := time.Since(begun); took < time.Second {
		t.Errorf("the third attempt came after %v, want more than 1 s", took)
	}

	e = engine(t, js.Config{})
	js.RefuseMemory(e, 3)
	if _, err := e.Compile(t.Context(), js.Source{Code: "return 1"}); js.ClassOf(err) != js.ClassHost || !strings.Contains(err.Error(), "no room for another guest") {
		t.Errorf("three refusals: %v", err)
	}

	e = engine(t, js.Config{Limits: js.Limits{TotalTimeout: 500 * time.Millisecond}})
	js.RefuseMemory(e, 2)
	begun = time.Now()
	if _, err := e.Compile(t.Context(), js.Source{Code: "return 1"}); js.ClassOf(err) != js.ClassHost {
		t.Errorf("a wait beyond the limit: %v", err)
	}
	if took := time.Since(begun); took < 100*time.Millisecond || took > 10*time.Second {
		t.Errorf("it gave up after %v, want one wait of 100 ms", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e = engine(t, js.Config{})
	js.RefuseMemory(e, 2)
	if _, err := e.Compile(ctx, js.Source{Code: "return 1"}); err == nil {
		t.Error("a cancelled compilation succeeded")
	}
}

package retry_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
	"pgregory.net/rapid"
)

var errBusy = errors.New("busy")

func ExampleExponential() {
	policy := retry.Exponential{MaxAttempts: 4, Base: 50 * time.Millisecond, Max: 150 * time.Millisecond}
	for attempt := 1; ; attempt++ {
		wait, again := policy.Next(attempt, 0, errors.New("connection refused"))
		if !again {
			fmt.Println("gave up after attempt", attempt)
			return
		}
		fmt.Println("attempt", attempt, "failed, wait", wait)
	}
	// Output:
	// attempt 1 failed, wait 50ms
	// attempt 2 failed, wait 100ms
	// attempt 3 failed, wait 150ms
	// gave up after attempt 4
}

func ExamplePermanent() {
	err := retry.Permanent(errors.New("card declined"))
	_, again := retry.Exponential{}.Next(1, 0, err)
	fmt.Println(err, again)
	// Output: card declined false
}

func TestNext(t *testing.T) {
	half := func() float64 { return 0.5 }
	never := func(error) bool { return false }
	for _, test := range []struct {
		name    string
		policy  retry.Policy
		attempt int
		elapsed time.Duration
		err     error
		wait    time.Duration
		again   bool
	}{
		{"zero exponential, first", retry.Exponential{}, 1, 0, errBusy, 100 * time.Millisecond, true},
		{"zero exponential, second", retry.Exponential{}, 2, 0, errBusy, 200 * time.Millisecond, true},
		{"zero exponential, third is the last", retry.Exponential{}, 3, 0, errBusy, 0, false},
		{"multiplier", retry.Exponential{MaxAttempts: 9, Base: time.Second, Multiplier: 3}, 3, 0, errBusy, 9 * time.Second, true},
		{"longest wait", retry.Exponential{MaxAttempts: 9, Base: time.Second, Max: 5 * time.Second}, 8, 0, errBusy, 5 * time.Second, true},
		{"power overflows", retry.Exponential{MaxElapsed: time.Hour}, math.MaxInt, 0, errBusy, 30 * time.Second, true},
		{"base above the default longest wait", retry.Exponential{Base: time.Minute}, 2, 0, errBusy, time.Minute, true},
		{"jitter", retry.Exponential{Base: time.Second, Jitter: 0.2, Rand: half}, 1, 0, errBusy, 900 * time.Millisecond, true},
		{"predicate", retry.Exponential{If: never}, 1, 0, errBusy, 0, false},
		{"permanent", retry.Exponential{}, 1, 0, fmt.Errorf("charge: %w", retry.Permanent(errBusy)), 0, false},
		{"asked to wait longer than Max", retry.Exponential{Max: time.Second}, 1, 0, retry.After(time.Minute, errBusy), time.Minute, true},
		{"asked to wait shorter", retry.Exponential{}, 1, 0, retry.After(time.Millisecond, errBusy), 100 * time.Millisecond, true},
		{"asked to wait past the time", retry.Exponential{MaxElapsed: time.Second}, 1, 0, retry.After(time.Minute, errBusy), 0, false},
		{"elapsed reaches the bound", retry.Exponential{MaxElapsed: time.Second}, 1, 900 * time.Millisecond, errBusy, 100 * time.Millisecond, true},
		{"elapsed passes the bound", retry.Exponential{MaxElapsed: time.Second}, 1, 901 * time.Millisecond, errBusy, 0, false},
		{"bounded by time only", retry.Exponential{MaxElapsed: time.Hour}, 50, 0, errBusy, 30 * time.Second, true},
		{"zero constant", retry.Constant{}, 2, 0, errBusy, 0, true},
		{"zero constant, third is the last", retry.Constant{}, 3, 0, errBusy, 0, false},
		{"constant", retry.Constant{MaxAttempts: 100, Wait: time.Second}, 99, 0, errBusy, time.Second, true},
		{"constant permanent", retry.Constant{}, 1, 0, retry.Permanent(errBusy), 0, false},
		{"invalid values act as the defaults", retry.Exponential{MaxAttempts: -1, Base: -1, Max: -1, Multiplier: -1}, 2, 0, errBusy, 200 * time.Millisecond, true},
		{"NaN multiplier", retry.Exponential{Multiplier: math.NaN()}, 2, 0, errBusy, 30 * time.Second, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			wait, again := test.policy.Next(test.attempt, test.elapsed, test.err)
			if wait != test.wait || again != test.again {
				t.Errorf("Next = %s, %t; want %s, %t", wait, again, test.wait, test.again)
			}
		})
	}
}

// TestNextBounds: whatever the fields, a wait is never negative, never above
// Max, and no policy goes on for ever without a bound in time.
func TestNextBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := retry.Exponential{
			MaxAttempts: rapid.IntRange(-1, 20).Draw(t, "attempts"),
			Base:        time.Duration(rapid.Int64().Draw(t, "base")),
			Max:         time.Duration(rapid.Int64().Draw(t, "max")),
			Multiplier:  rapid.Float64().Draw(t, "multiplier"),
			Jitter:      rapid.Float64().Draw(t, "jitter"),
			MaxElapsed:  time.Duration(rapid.Int64Range(-1, int64(time.Hour)).Draw(t, "max elapsed")),
		}
		attempt := rapid.IntRange(1, 30).Draw(t, "attempt")
		elapsed := time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "elapsed"))
		wait, again := policy.Next(attempt, elapsed, errBusy)
		if wait < 0 || policy.Max > 0 && wait > policy.Max {
			t.Fatalf("wait %s after attempt %d of %+v", wait, attempt, policy)
		}
		limit := policy.MaxAttempts
		if limit <= 0 {
			limit = retry.DefaultMaxAttempts
			if policy.MaxElapsed > 0 {
				limit = math.MaxInt
			}
		}
		inTime := policy.MaxElapsed <= 0 || elapsed+wait <= policy.MaxElapsed
		if again && (attempt >= limit || !inTime) {
			t.Fatalf("again after attempt %d and %s of %+v", attempt, elapsed, policy)
		}
		if !again && attempt < limit && policy.MaxElapsed <= 0 {
			t.Fatalf("not again after attempt %d of %+v", attempt, policy)
		}
	})
}

func TestValidate(t *testing.T) {
	for _, valid := range []interface{ Validate() error }{
		retry.Exponential{}, retry.Constant{},
		retry.Exponential{MaxAttempts: 5, Base: 50 * time.Millisecond, Max: 2 * time.Second, Jitter: 0.2},
		retry.Exponential{Base: time.Hour},
	} {
		if err := valid.Validate(); err != nil {
			t.Errorf("%+v: %v", valid, err)
		}
	}
	bad := retry.Exponential{MaxAttempts: -1, Base: -1, Max: -2, Multiplier: 0.5, Jitter: math.NaN(), MaxElapsed: -1}
	want := []string{
		"negative MaxAttempts -1; want 0 (the default) or more",
		"negative MaxElapsed -1ns; want 0 (no bound) or more",
		"negative Base -1ns; want a wait of 0 (the default) or more",
		"negative Max -2ns; want a wait of 0 (the default) or more",
		"out-of-range Multiplier 0.5; want 0 (the default) or at least 1",
		"out-of-range Jitter NaN; want 0 to 1",
	}
	if err := bad.Validate(); err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("Validate:\n%v\nwant\n%s", err, strings.Join(want, "\n"))
	}
	if err := (retry.Exponential{Base: 2 * time.Second, Max: time.Second}).Validate(); err == nil ||
		err.Error() != "a Base of 2s above the Max of 1s; want Base <= Max" {
		t.Errorf("Validate: %v", err)
	}
	if err := (retry.Constant{Wait: -time.Second}).Validate(); err == nil ||
		err.Error() != "negative Wait -1s; want a wait of 0 or more" {
		t.Errorf("Validate: %v", err)
	}
}

func TestMarkedErrors(t *testing.T) {
	if retry.Permanent(nil) != nil || retry.After(time.Second, nil) != nil {
		t.Error("marking nil made an error")
	}
	for _, err := range []error{retry.Permanent(errBusy), retry.After(time.Second, errBusy)} {
		if !errors.Is(err, errBusy) || err.Error() != "busy" {
			t.Errorf("%v hides its cause", err)
		}
	}
	if d, ok := retry.RetryAfter(fmt.Errorf("get: %w", retry.After(time.Second, errBusy))); d != time.Second || !ok {
		t.Errorf("RetryAfter = %s, %t", d, ok)
	}
	if retry.IsPermanent(errBusy) || retry.IsPermanent(nil) {
		t.Error("IsPermanent of a plain error")
	}
}

// TestNextAllocates: a policy is asked on the engine's goroutine, and must not
// make garbage there.
func TestNextAllocates(t *testing.T) {
	var policy retry.Policy = retry.Exponential{Jitter: 0.5}
	if n := testing.AllocsPerRun(100, func() { policy.Next(1, 0, errBusy) }); n > 0 {
		t.Errorf("Next allocates %v times", n)
	}
}

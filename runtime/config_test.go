package runtime_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
)

// TestConfigFromEnv: every variable is read, and a bad value is an error that
// names the variable, the value and what is allowed.
func TestConfigFromEnv(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"TASK_ACTOR_POOL_SIZE", "ten", `TASK_ACTOR_POOL_SIZE: "ten" is not a number; want 1 to 65536`},
		{"TASK_ACTOR_POOL_SIZE", "0", `TASK_ACTOR_POOL_SIZE: 0 is out of range; want 1 to 65536`},
		{"TASK_ACTOR_POOL_SIZE", "-1", `TASK_ACTOR_POOL_SIZE: -1 is out of range; want 1 to 65536`},
		{"TASK_ACTOR_POOL_SIZE", "99999999999999999999", `TASK_ACTOR_POOL_SIZE: 99999999999999999999 is out of range; want 1 to 65536`},
		{"RINGMILL_TASK_ACTORS_MIN", "few", `RINGMILL_TASK_ACTORS_MIN: "few" is not a number; want 1 to 65536`},
		{"RINGMILL_TASK_ACTORS_MAX", "65537", `RINGMILL_TASK_ACTORS_MAX: 65537 is out of range; want 1 to 65536`},
		{"WORKFLOW_ACTOR_POOL_SIZE", "1.5", `WORKFLOW_ACTOR_POOL_SIZE: "1.5" is not a number; want 1 to 65536`},
		{"RINGMILL_MAILBOX_CAPACITY", "0", `RINGMILL_MAILBOX_CAPACITY: 0 is out of range; want 1 to 16777216`},
		{"RINGMILL_MAILBOX_KIND", "any", `RINGMILL_MAILBOX_KIND: "any" is unknown; want chan, mpsc, mutex, workiva`},
		{"RINGMILL_MAX_RUNS", "many", `RINGMILL_MAX_RUNS: "many" is not a number; want 1 to 1073741824`},
		{"RINGMILL_CANCEL_GRACE", "5", `RINGMILL_CANCEL_GRACE: "5" is not a duration; want one such as 500ms or 5s, up to 24h0m0s`},
		{"RINGMILL_CANCEL_GRACE", "-5s", `RINGMILL_CANCEL_GRACE: -5s is out of range; want more than 0 and up to 24h0m0s`},
		{"RINGMILL_OVERFLOW", "spin", `RINGMILL_OVERFLOW: "spin" is unknown; want default, wait, fail, drop-newest, drop-oldest`},
		{"RINGMILL_POLICY", "any", `RINGMILL_POLICY: "any" is unknown; want hash, idle, least-loaded, round-robin`},
		{"RINGMILL_SCHEDULE", "lifo", `RINGMILL_SCHEDULE: "lifo" is unknown; want fifo, critical-path, measured-path`},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			if _, err := runtime.ConfigFromEnv(); err == nil || err.Error() != c.want {
				t.Errorf("error = %v\nwant    %s", err, c.want)
			}
		})
	}
	t.Run("good", func(t *testing.T) {
		for name, value := range map[string]string{
			"WORKFLOW_ACTOR_POOL_SIZE": "3", "TASK_ACTOR_POOL_SIZE": "7", "RINGMILL_MAILBOX_CAPACITY": "11",
			"RINGMILL_MAX_RUNS": "13", "RINGMILL_CANCEL_GRACE": "17ms", "RINGMILL_OVERFLOW": "drop-oldest",
			"RINGMILL_SCHEDULE": "critical-path", "RINGMILL_POLICY": "hash", "RINGMILL_MAILBOX_KIND": "chan",
			"RINGMILL_TASK_ACTORS_MIN": "2", "RINGMILL_TASK_ACTORS_MAX": "19",
		} {
			t.Setenv(name, value)
		}
		got, err := runtime.ConfigFromEnv()
		want := runtime.Config{
			WorkflowActors: 3, TaskActors: 7, MailboxCapacity: 11, MaxRuns: 13, CancelGrace: 17 * time.Millisecond,
			TaskActorsMin: 2, TaskActorsMax: 19,
			Overflow: runtime.OverflowDropOldest, Schedule: runtime.ScheduleCriticalPath, Policy: "hash", MailboxKind: "chan",
		}
		if err != nil || got != want {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	})
	t.Run("all at once", func(t *testing.T) {
		t.Setenv("TASK_ACTOR_POOL_SIZE", "x")
		t.Setenv("RINGMILL_SCHEDULE", "y")
		_, err := runtime.ConfigFromEnv()
		if err == nil || !strings.Contains(err.Error(), "TASK_ACTOR_POOL_SIZE") || !strings.Contains(err.Error(), "RINGMILL_SCHEDULE") {
			t.Errorf("error = %v, want both variables", err)
		}
	})
}

// TestNewRefuses: a field out of range is an error that names it.
func TestNewRefuses(t *testing.T) {
	for field, cfg := range map[string]runtime.Config{
		"WorkflowActors":  {WorkflowActors: -1},
		"TaskActors":      {TaskActors: runtime.MaxActors + 1},
		"MailboxCapacity": {MailboxCapacity: -5},
		"MaxRuns":         {MaxRuns: -1},
		"CancelGrace":     {CancelGrace: -time.Second},
		"Overflow":        {Overflow: 99},
		"Schedule":        {Schedule: 99},
		"Policy":          {Policy: "any"},
		"MailboxKind":     {MailboxKind: "any"},
	} {
		if _, err := runtime.New(cfg); err == nil || !strings.Contains(err.Error(), "Config."+field+":") {
			t.Errorf("New with bad %s: error = %v", field, err)
		}
	}
}

// TestNewRefusesTooManyActors: sizes that are fine alone may be too much together.
func TestNewRefusesTooManyActors(t *testing.T) {
	if _, err := runtime.New(runtime.Config{WorkflowActors: 65536, TaskActors: 65536}); err == nil || !strings.Contains(err.Error(), "too many together") {
		t.Errorf("error = %v", err)
	}
}

// TestConfigDefaults: the zero Config is valid and shows its defaults.
func TestConfigDefaults(t *testing.T) {
	got := start(t, runtime.Config{}).Config()
	want := runtime.Config{WorkflowActors: 10, TaskActors: 50, MailboxCapacity: 1024, MaxRuns: 65536, CancelGrace: 5 * time.Second, CompensateGrace: 30 * time.Second, RunRetention: 10 * time.Minute, RetainedRuns: 10_000, CacheEntries: 10_000, Policy: "idle", MailboxKind: "mpsc"}
	if got != want {
		t.Errorf("Config() = %+v, want %+v", got, want)
	}
}

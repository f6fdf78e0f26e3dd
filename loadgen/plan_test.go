package loadgen_test

import (
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/loadgen"
)

func check(t testing.TB, c loadgen.Config) loadgen.Config {
	t.Helper()
	c, err := c.Check()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPlanHash: the same configuration has the same hash, also the one that was
// written down here, and whatever changes the load changes it. Sizes of the runtime
// do not.
func TestPlanHash(t *testing.T) {
	base := loadgen.Config{Rate: 1000, Arrivals: loadgen.Arrivals{Kind: "poisson"}, Seed: 1, Duration: time.Second}
	seen := map[string]string{}
	for name, change := range map[string]func(*loadgen.Config){
		"base":     func(*loadgen.Config) {},
		"seed":     func(c *loadgen.Config) { c.Seed = 2 },
		"rate":     func(c *loadgen.Config) { c.Rate = 1001 },
		"arrivals": func(c *loadgen.Config) { c.Arrivals.Kind = "constant" },
		"burst":    func(c *loadgen.Config) { c.Arrivals = loadgen.Arrivals{Kind: "burst", Burst: 3} },
		"work":     func(c *loadgen.Config) { c.Workload.Work = loadgen.Work{A: 1} },
		"workflow": func(c *loadgen.Config) { c.Workload.Workflow = "chain:2" },
		"fail":     func(c *loadgen.Config) { c.Workload.Fail = .1 },
		"closed":   func(c *loadgen.Config) { *c = loadgen.Config{Concurrency: 3, Seed: 1, Duration: time.Second} },
	} {
		c := base
		change(&c)
		c = check(t, c)
		hash := loadgen.PlanHash(c)
		if other, ok := seen[hash]; ok {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[hash] = name
		if again := loadgen.PlanHash(c); again != hash {
			t.Errorf("%s: hash %s, then %s", name, hash, again)
		}
		c.Runtime.MailboxCapacity = 7
		if loadgen.PlanHash(c) != hash {
			t.Errorf("%s: a size of the runtime changes the hash", name)
		}
	}
}

// TestPlanTimes: arrivals come when the process says.
func TestPlanTimes(t *testing.T) {
	times := func(c loadgen.Config, n int) []time.Duration {
		p := loadgen.NewPlan(check(t, c))
		var out []time.Duration
		for range n {
			at, ok := p.Next()
			if !ok {
				break
			}
			out = append(out, at)
		}
		return out
	}
	stages, err := loadgen.ParseStages("0:1000,1s:2000,2s:~4000")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		c    loadgen.Config
		at   map[int]time.Duration
	}{
		{"constant", loadgen.Config{Rate: 1000}, map[int]time.Duration{0: 0, 1: time.Millisecond, 500: 500 * time.Millisecond}},
		{"burst", loadgen.Config{Rate: 1000, Arrivals: loadgen.Arrivals{Kind: "burst", Burst: 10}}, map[int]time.Duration{9: 0, 10: 10 * time.Millisecond, 19: 10 * time.Millisecond}},
		// 1,000 in the first second, then a climb from 2,000 to 4,000: 3,000 in the second one.
		{"stages", loadgen.Config{Stages: stages}, map[int]time.Duration{500: 500 * time.Millisecond, 1000: time.Second, 4000: 2 * time.Second, 6000: 2500 * time.Millisecond}},
		{"trace", loadgen.Config{Arrivals: loadgen.Arrivals{Kind: "trace", Trace: []time.Duration{5, 7}}}, map[int]time.Duration{0: 5, 1: 7}},
	}
	for _, test := range tests {
		got := times(test.c, 7000)
		for i, want := range test.at {
			if d := got[i] - want; d < -time.Microsecond || d > time.Microsecond {
				t.Errorf("%s: arrival %d at %v, want %v", test.name, i, got[i], want)
			}
		}
	}
	// 100,000 exponential gaps: mean and variation coefficient are 1 within a percent.
	poisson := times(loadgen.Config{Rate: 1000, Arrivals: loadgen.Arrivals{Kind: "poisson"}, Seed: 3}, 100_000)
	var sum, squares float64
	for i := 1; i < len(poisson); i++ {
		gap := (poisson[i] - poisson[i-1]).Seconds() * 1000
		sum += gap
		squares += gap * gap
	}
	n := float64(len(poisson) - 1)
	mean := sum / n
	if cv := math.Sqrt(squares/n-mean*mean) / mean; math.Abs(mean-1) > 0.01 || math.Abs(cv-1) > 0.02 {
		t.Errorf("poisson gaps: mean %v, variation %v; want 1 and 1", mean, cv)
	}
}

func TestReadTrace(t *testing.T) {
	got, err := loadgen.ReadTrace(strings.NewReader("# seconds\n0.25\n300ms,x\n\n1s\n"))
	if err != nil || len(got) != 3 || got[0] != 250*time.Millisecond || got[1] != 300*time.Millisecond || got[2] != time.Second {
		t.Errorf("got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":           "1: the trace is empty",
		"1\nfoo\n":   `2: "foo" is no offset: want seconds`,
		"1s\n900ms":  "2: 900ms lies before the line above: sort",
		"-1s":        "1: -1s is out of range",
		"# only\n\n": "2: the trace is empty",
	} {
		if _, err := loadgen.ReadTrace(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestParse: what is written is read, what is wrong says what to write.
func TestParse(t *testing.T) {
	open := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }
	parsers := map[string]func(string) (string, error){
		"arrivals": func(s string) (string, error) { a, err := loadgen.ParseArrivals(s, open); return a.String(), err },
		"work":     func(s string) (string, error) { w, err := loadgen.ParseWork(s); return w.String(), err },
		"threshold": func(s string) (string, error) {
			th, err := loadgen.ParseThreshold(s)
			return th.String(), err
		},
		"stages": func(s string) (string, error) { _, err := loadgen.ParseStages(s); return s, err },
		"rate":   func(s string) (string, error) { _, err := loadgen.ParseRate(s); return s, err },
		"share":  func(s string) (string, error) { _, err := loadgen.ParseShare(s); return s, err },
		"size":   func(s string) (string, error) { _, err := loadgen.ParseSize(s); return s, err },
		"hot":    func(s string) (string, error) { _, err := loadgen.ParseHot(s); return s, err },
	}
	for _, test := range []struct{ parser, text, want string }{
		{"arrivals", "constant", ""}, {"arrivals", "poisson", ""}, {"arrivals", "burst:7", ""},
		{"arrivals", "burst:0", "want burst:N"}, {"arrivals", "never", "want constant, poisson"}, {"arrivals", "trace:f", "f:1: "},
		{"work", "0", ""}, {"work", "2us", ""}, {"work", "exp:50us", ""}, {"work", "sleep:1ms", ""}, {"work", "sleep:exp:1ms", ""},
		{"work", "bimodal:10us,1ms,0.01", ""}, {"work", "uniform:1ms,2ms", ""},
		{"work", "uniform:2ms,1ms", "swap them"}, {"work", "often", "is not a duration"}, {"work", "gamma:1ms", "is unknown; want"}, {"work", "2h", "want times from 0"},
		{"threshold", "p99<5ms", ""}, {"threshold", "p99.9<=5ms:abort@5s", ""}, {"threshold", "throughput>90k", ""}, {"threshold", "errors<1%", ""}, {"threshold", "allocs/op<12", ""},
		{"threshold", "p99=5ms", "is no threshold"}, {"threshold", "p100<5ms", "is unknown"}, {"threshold", "p99<0s", "nothing is less than 0"}, {"threshold", "errors<0", "nothing is less than 0"}, {"threshold", "errors<=0", ""}, {"threshold", "p99<5", "is not a duration"},
		{"threshold", "lag<1ms:abort@1s", "known at the end only"}, {"threshold", "p99<5ms:abort@0", "not a time to abort"},
		{"stages", "0:50k,10s:200k", ""}, {"stages", "1s:50k", "want the first stage at 0"}, {"stages", "0:1k,0:2k", "does not come after"}, {"stages", "0", "want TIME:RATE"},
		{"rate", "1.5M", ""}, {"rate", "0", "out of range"}, {"rate", "fast", "want a number a second"}, {"rate", "11M", "out of range"},
		{"share", "1%", ""}, {"share", "2", "out of range"}, {"share", "x", "is not a share"},
		{"size", "4KiB", ""}, {"size", "2MiB", "out of range"}, {"size", "big", "is not a size"}, {"size", "9223372036854775807k", "out of range"},
		{"hot", "zipf:1.1", ""}, {"hot", "zipf:0", "want zipf:S"}, {"hot", "1.1", "want zipf:S"},
	} {
		got, err := parsers[test.parser](test.text)
		switch {
		case test.want == "" && (err != nil || got != test.text):
			t.Errorf("%s %q: %q, %v; want it back", test.parser, test.text, got, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s %q: error %v, want %q", test.parser, test.text, err, test.want)
		}
	}
}

// TestConfigErrors: each names its field.
func TestConfigErrors(t *testing.T) {
	for want, c := range map[string]loadgen.Config{
		"Config.Rate: 0 says nothing":             {},
		"Config.Concurrency: 3 clients and":       {Rate: 1, Concurrency: 3},
		"Config.Stages: they exclude Rate":        {Rate: 1, Stages: []loadgen.Stage{{Rate: 1}}},
		"Config.Warmup: 2s is out of range":       {Rate: 1, Duration: time.Second, Warmup: 2 * time.Second},
		"Config.MaxInFlight: -1":                  {Rate: 1, MaxInFlight: -1},
		"Config.Workload.Workflow: \"frob\"":      {Rate: 1, Workload: loadgen.Workload{Workflow: "frob"}},
		"Config.Workload.Fail: 2 is out of range": {Rate: 1, Workload: loadgen.Workload{Fail: 2}},
		"Config.Arrivals: a closed loop has none": {Concurrency: 1, Arrivals: loadgen.Arrivals{Kind: "poisson"}},
		"Config.Rate: NaN":                        {Rate: math.NaN()},
	} {
		if _, err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestLongestPath(t *testing.T) {
	if n := loadgen.Longest("diamond", []int64{1, 2, 5, 1}); n != 7 {
		t.Errorf("diamond: %d, want 7", n)
	}
	if n := loadgen.Longest("chain:3", []int64{1, 2, 3}); n != 6 {
		t.Errorf("chain: %d, want 6", n)
	}
}

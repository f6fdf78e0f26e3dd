package js

import (
	"fmt"
	goruntime "runtime"
	"time"
)

// A Config says how an [Engine] works. The zero value is valid.
type Config struct {
	// Module is the engine's WebAssembly module: quickjs.wasm of the npm package
	// quickjs-wasi, version EngineVersion. Defaults to the file that the environment
	// variable RINGMILL_JS_ENGINE names, then to the module built into the program.
	Module []byte
	// Instances is how many guests there are: scripts that run or await something at
	// the same time. Defaults to GOMAXPROCS. Range 1 to 1,024.
	Instances int
	// Parallel is how many guests compute at the same time. Defaults to GOMAXPROCS-1,
	// at least 1, so that actors keep a processor. Range 1 to Instances.
	Parallel int
	// Queue is how many calls may wait for a guest; one more is [ErrSaturated].
	// Defaults to 1,024. Range 1 to 1,048,576.
	Queue int
	// Limits bound each call.
	Limits Limits
	// CacheBytes is the memory for compiled scripts; the least recently used ones are
	// compiled again when needed. Defaults to 64 MB. Range 1 MB to 1 TB.
	CacheBytes int64
	// Fetch says which hosts a script's fetch may reach. Defaults to none: there is
	// no function fetch.
	Fetch Fetch
	// CacheDir is a directory for the engine's machine code, which takes the start
	// from half a second to some 10 ms. Whoever can write there can run code in this
	// process. Defaults to none.
	CacheDir string
	// Interpreter runs the engine on every platform that Go supports, some 30 times
	// slower. Defaults to false: machine code, where wazero makes it.
	Interpreter bool
	// TypeScriptCommand is a program and its arguments that compiles TypeScript in a
	// process of its own, as [CompileTypeScript] does: started for each source that is not cached,
	// two at a time, and killed after 5 s. Set it where strangers write TypeScript:
	// a compilation in this process cannot be stopped. Defaults to none, which means this process.
	TypeScriptCommand []string
	// BreakerFailures is how many timeouts, out-of-memory errors and traps of a script
	// within BreakerWindow make its calls fail at once, for BreakerWindow. Defaults to
	// 5. Range 1 to 1,000.
	BreakerFailures int
	// BreakerWindow defaults to 30 s. Range 1 ms to 1 h.
	BreakerWindow time.Duration
}

// Limits bound what a call may use.
type Limits struct {
	// MemoryBytes is the guest's whole memory, with about 2 MB for the engine itself.
	// Defaults to 32 MB, in steps of 64 KB. Range 4 MB to 2 GB.
	MemoryBytes int64
	// Timeout bounds one attempt, waits for timers and requests included. Defaults to
	// 25 s.
	Timeout time.Duration
	// TotalTimeout bounds a call with its wait for a guest and all attempts. Defaults
	// to 30 s.
	TotalTimeout time.Duration
	// ConditionTimeout and ConditionTotalTimeout are the same for conditions. They
	// default to 12 s and 15 s.
	ConditionTimeout, ConditionTotalTimeout time.Duration
	// SourceBytes bounds a script's source. Defaults to 256 KB.
	SourceBytes int
	// InputBytes and ResultBytes bound the JSON of a call's input and result. Both
	// default to 4 MB.
	InputBytes, ResultBytes int
	// ConsoleBytes bounds what is kept of a call's console output. Defaults to 64 KB.
	ConsoleBytes int
	// Timers is how many timers a call may have pending. Defaults to 64.
	Timers int
	// Requests is how many fetches a call may make. Defaults to 64, 8 at a time.
	Requests int
}

const (
	maxTimeout = 24 * time.Hour
	mb         = 1 << 20
)

// withDefaults fills in what is zero and refuses what is out of range.
func (c Config) withDefaults() (Config, error) {
	processors := goruntime.GOMAXPROCS(0)
	instances := c.Instances
	if instances == 0 {
		instances = processors
	}
	l := &c.Limits
	for _, f := range []struct {
		name                  string
		value                 *int
		standard, least, most int
	}{
		{"Instances", &c.Instances, processors, 1, 1024},
		{"Parallel", &c.Parallel, max(1, min(processors-1, instances)), 1, 1024},
		{"Queue", &c.Queue, 1024, 1, 1 << 20},
		{"BreakerFailures", &c.BreakerFailures, 5, 1, 1000},
		{"Limits.SourceBytes", &l.SourceBytes, 256 << 10, 1, 16 * mb},
		{"Limits.InputBytes", &l.InputBytes, 4 * mb, 1, 256 * mb},
		{"Limits.ResultBytes", &l.ResultBytes, 4 * mb, 1, 256 * mb},
		{"Limits.ConsoleBytes", &l.ConsoleBytes, 64 << 10, 1, 64 * mb},
		{"Limits.Timers", &l.Timers, 64, 1, 100_000},
		{"Limits.Requests", &l.Requests, 64, 1, 10_000},
	} {
		if err := inRange(f.name, f.value, f.standard, f.least, f.most); err != nil {
			return c, err
		}
	}
	if c.Parallel > c.Instances {
		return c, fmt.Errorf("js: Config.Parallel is %d; want at most Instances, which is %d", c.Parallel, c.Instances)
	}
	for _, f := range []struct {
		name                  string
		value                 *int64
		standard, least, most int64
	}{
		{"CacheBytes", &c.CacheBytes, 64 * mb, mb, 1 << 40},
		{"Limits.MemoryBytes", &l.MemoryBytes, 32 * mb, 4 * mb, 2048*mb - pageSize},
	} {
		if err := inRange(f.name, f.value, f.standard, f.least, f.most); err != nil {
			return c, err
		}
	}
	l.MemoryBytes = (l.MemoryBytes + pageSize - 1) / pageSize * pageSize
	for _, f := range []struct {
		name        string
		value       *time.Duration
		standard    time.Duration
		least, most time.Duration
	}{
		{"BreakerWindow", &c.BreakerWindow, 30 * time.Second, time.Millisecond, time.Hour},
		{"Limits.Timeout", &l.Timeout, 25 * time.Second, time.Microsecond, maxTimeout},
		{"Limits.TotalTimeout", &l.TotalTimeout, 30 * time.Second, time.Microsecond, maxTimeout},
		{"Limits.ConditionTimeout", &l.ConditionTimeout, 12 * time.Second, time.Microsecond, maxTimeout},
		{"Limits.ConditionTotalTimeout", &l.ConditionTotalTimeout, 15 * time.Second, time.Microsecond, maxTimeout},
	} {
		if err := inRange(f.name, f.value, f.standard, f.least, f.most); err != nil {
			return c, err
		}
	}
	return c, c.Fetch.check()
}

func inRange[T ~int | ~int64](name string, value *T, standard, least, most T) error {
	if *value == 0 {
		*value = standard
	}
	if *value < least || *value > most {
		return fmt.Errorf("js: Config.%s is %v; want %v to %v, or 0 for %v", name, *value, least, most, standard)
	}
	return nil
}

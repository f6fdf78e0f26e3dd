package loadgen

import (
	"os"
	goruntime "runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// A reading is what counters of the machine and the process said.
type reading struct {
	at         time.Time
	ownCPU     time.Duration // of the process
	sendingCPU time.Duration // of the generator's thread
	busy       float64       // seconds of all cores since the machine started; negative if unknown
	steal      float64
	pressure   map[string]float64 // seconds during which some thread waited, by resource
	allocs     uint64
	bytes      uint64
	gcCPU      float64 // seconds, without what it did on cores that were idle
	usedCPU    float64 // seconds by the same clock, which runs at the end of each cycle of the collector
	gcCycles   uint64
}

// read takes the counters; it allocates and reads files.
func read(sending time.Duration) reading {
	r := reading{at: time.Now(), ownCPU: processCPU(), sendingCPU: sending, pressure: map[string]float64{}}
	r.busy, r.steal = machineCPU()
	for _, resource := range []string{"cpu", "memory", "io"} {
		if s, ok := pressure(resource); ok {
			r.pressure[resource] = s
		}
	}
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"},
	}
	metrics.Read(samples)
	r.allocs, r.bytes, r.gcCycles = samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64()
	f := func(i int) float64 { return samples[i].Value.Float64() }
	r.gcCPU = f(3) - f(4)
	r.usedCPU = f(5) - f(6) - f(4)
	return r
}

// ticksPerSecond is the unit of /proc/stat, the same on every Linux that Go
// supports.
const ticksPerSecond = 100

// machineCPU reads the busy and stolen seconds of all cores from /proc/stat.
func machineCPU() (busy, steal float64) {
	data, err := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(data), "\n")
	fields := strings.Fields(line)
	if err != nil || len(fields) < 9 || fields[0] != "cpu" {
		return -1, -1
	}
	for i, f := range fields[1:9] { // user nice system idle iowait irq softirq steal
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return -1, -1
		}
		switch i {
		case 3, 4:
		case 7:
			steal = n / ticksPerSecond
		default:
			busy += n / ticksPerSecond
		}
	}
	return busy, steal
}

// pressure reads for how long some thread waited for a resource.
func pressure(resource string) (seconds float64, ok bool) {
	data, err := os.ReadFile("/proc/pressure/" + resource)
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(data), "\n")
	_, total, found := strings.Cut(line, "total=")
	us, err := strconv.ParseFloat(strings.TrimSpace(total), 64)
	return us / 1e6, found && err == nil && strings.HasPrefix(line, "some")
}

func environment(pacer string) Environment {
	e := Environment{
		OS: goruntime.GOOS, Arch: goruntime.GOARCH, CPU: cpuModel(), Cores: goruntime.NumCPU(),
		GOMAXPROCS: goruntime.GOMAXPROCS(0), Go: goruntime.Version(), Version: version(), Pacer: pacer, Race: raceEnabled,
	}
	return e
}

func cpuModel() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && v == "(devel)":
			v += " " + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true" && !strings.HasSuffix(v, "dirty"):
			v += " modified"
		}
	}
	return v
}

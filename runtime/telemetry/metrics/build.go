package metrics

import (
	goruntime "runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// modulePath is how build information names Ringmill.
const modulePath = "github.com/ringmill/ringmill"

// buildInfo returns the constant 1 labelled with the version of Ringmill that is
// linked in, of Go, and with the program's revision; what is unknown is empty.
func buildInfo() prometheus.Metric {
	var version, revision string
	if info, ok := debug.ReadBuildInfo(); ok {
		version = moduleVersion(info)
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	d := desc("ringmill_build_info", "Constant 1; its labels tell the build.", "version", "revision", "goversion")
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, 1, version, revision, goruntime.Version())
}

// moduleVersion finds Ringmill, which is the program or one of its modules.
func moduleVersion(info *debug.BuildInfo) string {
	if info.Main.Path == modulePath {
		return info.Main.Version
	}
	for _, m := range info.Deps {
		if m.Path == modulePath {
			return m.Version
		}
	}
	return ""
}

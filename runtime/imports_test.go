package runtime_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ringmill/ringmill/"

// rooms lists who may import whom: a package may import the rooms named behind
// it and what is below its own folder. Everything points down.
var rooms = []struct {
	room string
	may  []string
}{
	{"mailbox", nil},
	{"scheduler", []string{"mailbox"}},
	{"scheduler/simulation", []string{"scheduler"}},
	{"runtime/retry", nil},
	{"runtime/breaker", nil},
	{"runtime/limit", nil},
	{"runtime/cache", nil},
	{"runtime/handler", nil},
	{"runtime/handler/http", []string{"runtime/workflow", "runtime/retry"}},
	{"runtime/handler/shell", []string{"runtime/workflow", "runtime/retry", "runtime/handler/command"}},
	{"runtime/actor", []string{"mailbox", "scheduler"}},
	{"runtime/workflow", []string{"runtime/retry", "runtime/breaker", "runtime/limit", "runtime/cache", "runtime/handler/command"}},
	{"runtime/processor", []string{"mailbox", "scheduler", "runtime/actor", "runtime/workflow", "runtime/retry", "runtime/breaker", "runtime/limit", "runtime/cache"}},
	{"runtime/js", []string{"runtime/workflow", "runtime/retry", "runtime/telemetry/histogram"}},
	{"runtime/telemetry", []string{"runtime/processor", "runtime/workflow", "runtime/actor"}},
	{"runtime/telemetry/jsmetrics", []string{"runtime/js", "runtime/telemetry/metrics", "runtime/telemetry/histogram"}}, // apart from metrics, which must not link an engine
	{"runtime", []string{"mailbox", "scheduler", "runtime"}},
	{"loadgen", []string{"mailbox", "scheduler", "runtime"}},
	{"bench", []string{"mailbox", "scheduler", "scheduler/simulation", "runtime", "loadgen"}},
	{"cmd", []string{"mailbox", "scheduler", "runtime", "loadgen"}},
}

// TestImportDirection holds the order of the rooms: imports point down only.
func TestImportDirection(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"...") {
		pkg, imports, _ := strings.Cut(line, " ")
		room, may, ok := roomOf(strings.TrimPrefix(pkg, module))
		if !ok {
			t.Errorf("%s is in no room: add its room and what it may import", pkg)
			continue
		}
		for imported := range strings.FieldsSeq(imports) {
			path, own := strings.CutPrefix(imported, module)
			if own && !inFolder(path, room) && !slices.ContainsFunc(may, func(m string) bool { return inFolder(path, m) }) {
				t.Errorf("%s imports %s: %s may import only %v", pkg, path, room, may)
			}
			if room == "mailbox" && !strings.HasSuffix(pkg, "mailbox/workiva") && !own && strings.Contains(imported, ".") {
				t.Errorf("%s imports %s: mailbox imports the standard library only", pkg, imported)
			}
		}
	}
}

// TestCoreLinksNothingHeavy: a program that embeds the runtime with Go tasks does
// not carry what plugs in from outside.
func TestCoreLinksNothingHeavy(t *testing.T) {
	heavy := []string{
		"net/http", "go.uber.org/zap", "github.com/prometheus", "go.opentelemetry.io", "github.com/tetratelabs/wazero",
		"github.com/cockroachdb/pebble", "github.com/nats-io", "github.com/evanw/esbuild", "github.com/Workiva", module + "runtime/js",
	}
	for _, pkg := range goList(t, "-deps", module+"runtime") {
		for _, h := range heavy {
			if inFolder(pkg, h) {
				t.Errorf("runtime links %s", pkg)
			}
		}
	}
}

// roomOf returns the innermost room that path belongs to.
func roomOf(path string) (room string, may []string, ok bool) {
	for _, r := range rooms {
		if inFolder(path, r.room) && len(r.room) > len(room) {
			room, may, ok = r.room, r.may, true
		}
	}
	return room, may, ok
}

// inFolder reports whether path is folder or below it.
func inFolder(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

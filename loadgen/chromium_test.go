package loadgen_test

import (
	"bytes"
	"context"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime"
)

// pages makes a page of each kind.
func pages(t *testing.T) map[string][]byte {
	t.Helper()
	th, err := loadgen.ParseThreshold("p99<50ms")
	if err != nil {
		t.Fatal(err)
	}
	base := loadgen.Config{
		Duration: 400 * time.Millisecond, Thresholds: []loadgen.Threshold{th}, Runtime: runtime.Config{WorkflowActors: 2, TaskActors: 2, MailboxCapacity: 16},
		Workload: loadgen.Workload{Workflow: "chain:3", Work: loadgen.Work{A: 5 * time.Microsecond}, Fail: .01},
	}
	open := base
	open.Rate, open.Arrivals = 3000, loadgen.Arrivals{Kind: loadgen.ArrivalsPoisson}
	one := run(t, open)
	cell := open
	cell.Duration = 60 * time.Millisecond
	grid, err := loadgen.Grid(t.Context(), loadgen.GridConfig{Base: cell, Count: 1, Axes: []loadgen.Axis{
		{Name: "mailbox", Values: []string{"1", "16", "64", "256"}}, {Name: "task-actors", Values: []string{"1", "2", "8", "50", "200"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	search, err := loadgen.Search(t.Context(), loadgen.SearchConfig{
		Base: loadgen.Config{
			Duration: 100 * time.Millisecond, Thresholds: []loadgen.Threshold{th}, Runtime: runtime.Config{TaskActors: 1},
			Workload: loadgen.Workload{Work: loadgen.Work{A: time.Millisecond, Sleep: true}},
		},
		Precision: .4, Confirm: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for name, r := range map[string]interface{ WriteHTML(io.Writer) error }{"run": one, "grid": grid, "search": search} {
		var b bytes.Buffer
		if err := r.WriteHTML(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = b.Bytes()
	}
	return out
}

var loads = regexp.MustCompile(`(?i)<script|src=|href="[^d]|url\(|@import|https?://`)

// TestPages: each page is small, holds everything it needs, and headless Chromium
// shows it in light and dark without a complaint on its console. Its policy forbids
// every request, so an attempt at one would be such a complaint. With
// RINGMILL_SCREENSHOTS=DIR the pictures are kept there.
func TestPages(t *testing.T) {
	skipSlowRace(t)
	all := pages(t)
	for name, page := range all {
		if len(page) > 250<<10 {
			t.Errorf("%s: %d bytes, want at most 250 KiB", name, len(page))
		}
		if m := loads.Find(page); m != nil {
			t.Errorf("%s: it refers to something else: %q", name, m)
		}
		if !bytes.Contains(page, []byte("</html>")) || bytes.Contains(page, []byte("NaN")) || bytes.Contains(page, []byte("Inf")) {
			t.Errorf("%s: not whole, or with a number that is none", name)
		}
	}
	browser := ""
	for _, b := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(b); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("Chromium is missing: the pages are not looked at (Debian: apt-get install chromium)")
	}
	if testing.Short() {
		t.Skip("-short: Chromium takes seconds")
	}
	keep := os.Getenv("RINGMILL_SCREENSHOTS")
	for name, page := range all {
		for i, look := range []struct {
			name, size string
			args       []string
		}{{"light", "1100,1600", nil}, {"dark", "500,2400", []string{"--force-dark-mode", "--blink-settings=preferredColorScheme=0"}}} {
			if keep == "" && (i == 1) != (name == "grid") {
				continue // each start takes seconds: each kind once, both looks
			}
			dir := t.TempDir()
			file, picture := filepath.Join(dir, name+".html"), filepath.Join(dir, name+"-"+look.name+".png")
			if err := os.WriteFile(file, page, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			cmd := exec.CommandContext(ctx, browser, append([]string{
				"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
				"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr", "--user-data-dir=" + filepath.Join(dir, "profile"),
				"--window-size=" + look.size, "--screenshot=" + picture,
			}, append(look.args, "file://"+file)...)...)
			log, err := cmd.CombinedOutput()
			cancel()
			if err != nil {
				t.Fatalf("%s: %v\n%s", browser, err, log)
			}
			for line := range strings.SplitSeq(string(log), "\n") {
				if strings.Contains(line, "CONSOLE") {
					t.Errorf("%s, %s: console: %s", name, look.name, line)
				}
			}
			if n := colours(t, picture); n < 20 {
				t.Errorf("%s, %s: %d colours: the page is blank", name, look.name, n)
			}
			if keep != "" {
				data, err := os.ReadFile(picture)
				if err == nil {
					err = os.WriteFile(filepath.Join(keep, filepath.Base(picture)), data, 0o644)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// TestLargeGridPage: also the page of the largest grid keeps within 250 KiB.
func TestLargeGridPage(t *testing.T) {
	g := &loadgen.GridResult{Knee: 5, Best: 7, Axes: []loadgen.Axis{{Name: "mailbox-kind"}, {Name: "mailbox"}, {Name: "task-actors"}}}
	for i := range 10 {
		for a := range g.Axes {
			g.Axes[a].Values = append(g.Axes[a].Values, strconv.Itoa(1000+i))
		}
	}
	for i := range loadgen.MaxCells {
		at := func(n int) string { return strconv.Itoa(1000 + n%10) }
		g.Cells = append(g.Cells, loadgen.Cell{
			Values: []string{at(i / 100), at(i / 10), at(i)}, P99: float64(i) / 1000, P50: float64(i) / 10_000, Throughput: float64(i), Errors: 0.01, Result: &loadgen.Result{},
		})
	}
	var page bytes.Buffer
	if err := g.WriteHTML(&page); err != nil || page.Len() > 250<<10 || !strings.Contains(page.String(), "0.999") && !strings.Contains(page.String(), "999ms") {
		t.Errorf("%d bytes, %v", page.Len(), err)
	}
}

// colours counts the colours of a picture, up to a hundred.
func colours(t *testing.T, name string) int {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[3]uint32]bool{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y && len(seen) < 100; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, bl, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r, g, bl}] = true
		}
	}
	return len(seen)
}

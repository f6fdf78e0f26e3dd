package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime"
)

const readme = "README.md"

// The grid of the README.
var mailboxSizeGrid = loadgen.GridConfig{
	Base: loadgen.Config{
		Rate: 5000, Arrivals: loadgen.Arrivals{Kind: loadgen.ArrivalsBurst, Burst: 100}, Seed: 1, Duration: 8 * time.Second,
		Workload: loadgen.Workload{Workflow: "chain:3", Work: loadgen.Work{Distribution: loadgen.WorkConstant, Sleep: true, A: 2 * time.Millisecond}},
		Runtime:  runtime.Config{Overflow: runtime.OverflowFail, WorkflowActors: 1, Schedule: runtime.ScheduleCriticalPath},
	},
	Axes: []loadgen.Axis{
		{Name: "mailbox", Values: []string{"1", "8", "32", "128"}},
		{Name: "task-actors", Values: []string{"40", "50", "100", "200", "400"}},
	},
	Count: 1, // one cell of 400 bursts knows more than three of 130
}

// mailboxSizeCommand is the same for a user.
const mailboxSizeCommand = `ringmill loadgen grid --rate 5k --arrivals burst:100 --workflow chain:3 --work sleep:2ms \
    --schedule critical-path --workflow-actors 1 --duration 8s --count 1 \
    --grid mailbox=1,8,32,128 --grid task-actors=40,50,100,200,400 -o out`

// computeMailboxSize measures the grid, draws it, and writes it into the README and the section that it returns.
func computeMailboxSize(s suite) (string, error) {
	cfg := mailboxSizeGrid
	cfg.Progress = func(done, all int, cell string) { fmt.Fprintf(os.Stderr, "%s %d/%d %s\n", s.name, done+1, all, cell) }
	before := loadAverage()
	g, err := loadgen.Grid(context.Background(), cfg)
	if err != nil {
		return "", err
	}
	if bad := g.CheckAccounting(); bad != "" {
		return "", fmt.Errorf("the accounting is broken: %s", bad)
	}
	date := time.Now()
	if err := writePlot(s.name, mailboxSizePlot(g)); err != nil {
		return "", err
	}
	where := fmt.Sprintf("%s, %s, %d cores, %s/%s, %s%s", date.Format("2006-01-02 15:04"), g.Cells[0].Result.Environment.CPU,
		goruntime.NumCPU(), goruntime.GOOS, goruntime.GOARCH, goruntime.Version(), loads(before, loadAverage()))
	table := mailboxSizeTable(g)
	if err := replaceInFile(readme, s.name, table+"\n"+mailboxSizeWords(g)+"\n\nMeasured "+where+"; `make results SUITE="+s.name+"` does it again.\n"); err != nil {
		return "", err
	}
	return fmt.Sprintf("## %s\n\n%s\n\n%s. Again: `go run ./bench/results -suite %s`, which also writes the README's table, or:\n\n```sh\n%s\n```\n\n![p99 by mailbox and task actors](plots/%s.svg)\n\n%s\n%s\n\n",
		s.name, s.about, where, s.name, mailboxSizeCommand, s.name, table, mailboxSizeWords(g)), nil
}

// at returns the cell of a row and a column.
func at(g *loadgen.GridResult, row, column int) (i int, c backpressureCell) {
	i = row*len(g.Axes[1].Values) + column
	if i >= len(g.Cells) {
		return i, backpressureCell{}
	}
	return i, backpressureCell{p99: time.Duration(g.Cells[i].P99 * 1e9), refused: 100 * g.Cells[i].Errors, measured: true}
}

func mailboxSizeTable(g *loadgen.GridResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| mailbox \\ task actors | %s |\n|---|%s\n", strings.Join(g.Axes[1].Values, " | "), strings.Repeat("---|", len(g.Axes[1].Values)))
	for r, name := range g.Axes[0].Values {
		fmt.Fprintf(&b, "| %s |", name)
		for c := range g.Axes[1].Values {
			i, cell := at(g, r, c)
			text := cell.String()
			if i == g.Knee {
				text = "**" + text + "**"
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// mailboxSizeWords says what to take from the grid.
func mailboxSizeWords(g *loadgen.GridResult) string {
	words := "No cell is good enough to be called the knee."
	if g.Knee >= 0 {
		knee, best := g.Cells[g.Knee], g.Cells[g.Best]
		words = fmt.Sprintf("The knee, in bold, is a mailbox of %s and %s task actors: the smallest sizes that refuse nothing that\nlarger ones would have taken, and whose p99, %s, is at most 1.25 times the lowest one, %s.",
			knee.Values[0], knee.Values[1], shortDuration(time.Duration(knee.P99*1e9)), shortDuration(time.Duration(best.P99*1e9)))
	}
	if n := g.Suspects(); n > 0 {
		words += fmt.Sprintf("\n%d of %d cells are SUSPECT. The first one: %s.", n, len(g.Cells), firstReason(g))
	} else {
		words += "\nThe tool calls every cell trusted."
	}
	return words
}

// firstReason says why the first suspect cell is that.
func firstReason(g *loadgen.GridResult) string {
	for i, c := range g.Cells {
		if t := c.Result.Trust; t.Verdict != loadgen.Trusted {
			return g.Title(i) + ", " + strings.Join(t.Reasons, "; ")
		}
	}
	return ""
}

func mailboxSizePlot(g *loadgen.GridResult) []byte {
	t := heatTable{title: "p99", rows: g.Axes[0].Values, columns: g.Axes[1].Values}
	for r := range t.rows {
		var cells []heatCell
		for c := range t.columns {
			i, cell := at(g, r, c)
			cells = append(cells, cell.heat(i == g.Knee))
		}
		t.cells = append(t.cells, cells)
	}
	return heatmap{
		title: "How large should my mailbox be?", rows: "mailbox", columns: "task actors", tables: [][]heatTable{{t}},
		note: "Deeper is later. Framed: the smallest sizes that are enough.",
	}.svg()
}

// replaceInFile puts text between the marks of a name, <!-- results NAME --> and <!-- end -->.
func replaceInFile(file, name, text string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	marks := regexp.MustCompile(`(?s)(<!-- results ` + regexp.QuoteMeta(name) + ` -->\n).*?(<!-- end -->\n)`)
	if len(marks.FindAll(data, 2)) != 1 {
		return fmt.Errorf("%s: want one place marked with %s", file, strconv.Quote("<!-- results "+name+" -->"))
	}
	out := marks.ReplaceAllFunc(data, func(old []byte) []byte {
		parts := marks.FindSubmatch(old)
		return []byte(string(parts[1]) + text + string(parts[2]))
	})
	return os.WriteFile(file, out, 0o644)
}

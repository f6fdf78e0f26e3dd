package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// backpressureSuites ask how large mailboxes and pools must be.
var backpressureSuites = []suite{
	{
		name: "backpressure",
		about: "Runs of two tasks arrive 200 at once, 5,000 a second; a task waits 1 ms, one in twenty 10 ms. The longest path goes first, so every run " +
			"passes through a mailbox, of one of two workflow actors; at most 1,000 runs are in flight; a full mailbox refuses. Each cell is p99 from the time that was planned, and the share that was refused, both medians.",
		dir:   "bench",
		bench: "Backpressure",
		side:  "kind",
		ours:  "mpsc",

		count:     3,
		benchtime: "4000x", // 20 bursts, 0.8 s
		tables:    writeBackpressure,
		plot:      plotBackpressure,
	},
	{
		name: "mailbox-size",
		about: "The grid of the README: bursts of 100 runs, 5,000 a second in all, each of three tasks that wait 2 ms. The longest path goes first, so every run passes " +
			"through the mailbox of the one workflow actor; a full mailbox refuses. 400 bursts a cell, so that one that the machine delays is no p99.",
		compute: computeMailboxSize,
	},
}

// A backpressureCell is what one combination of sizes showed; medians.
type backpressureCell struct {
	p99      time.Duration
	refused  float64 // percent
	measured bool
}

// String writes p99, and behind it the share that was refused if any was.
func (c backpressureCell) String() string {
	switch {
	case !c.measured:
		return "not measured"
	case c.p99 == 0:
		return "all refused"
	case c.refused == 0:
		return shortDuration(c.p99)
	}
	return fmt.Sprintf("%s, %s %%", shortDuration(c.p99), shortPercent(c.refused))
}

func shortPercent(v float64) string { return strconv.FormatFloat(v, 'g', 2, 64) }

// shortDuration prints a time with three digits at most.
func shortDuration(d time.Duration) string {
	switch {
	case d >= time.Second:
		return strconv.FormatFloat(d.Seconds(), 'g', 3, 64) + " s"
	case d >= time.Millisecond:
		return strconv.FormatFloat(d.Seconds()*1e3, 'g', 3, 64) + " ms"
	}
	return strconv.FormatFloat(d.Seconds()*1e6, 'g', 3, 64) + " µs"
}

// A backpressureTable is the part of the measurement with one kind and one policy.
type backpressureTable struct {
	kind, policy          string
	capacities, taskActor []int
	cells                 [][]backpressureCell // by capacity
	knee                  [2]int               // row and column; -1 if there is none
}

// What is about as good as the best, as in loadgen.Grid.
const (
	kneeP99     = 1.25
	kneeRefused = 0.1 // percent more
)

// backpressureTables sorts the measurement by policy, then by kind, ours first.
func backpressureTables(m *measurement) [][]backpressureTable {
	policies, capacities, actors := map[string]bool{}, map[int]bool{}, map[int]bool{}
	for row := range m.samples {
		policies[parameter(row, "policy")] = true
		capacities[number(row, "capacity")], actors[number(row, "task-actors")] = true, true
	}
	var out [][]backpressureTable
	for _, policy := range sorted(policies) {
		var line []backpressureTable
		for _, kind := range m.sides() {
			t := backpressureTable{kind: kind, policy: policy, capacities: sorted(capacities), taskActor: sorted(actors)}
			for _, capacity := range t.capacities {
				var cells []backpressureCell
				for _, n := range t.taskActor {
					row := fmt.Sprintf("Backpressure/policy=%s/capacity=%d/task-actors=%d", policy, capacity, n)
					p99 := m.figures(row, kind, "p99-ns")
					cells = append(cells, backpressureCell{
						p99: time.Duration(median(p99)), refused: median(m.figures(row, kind, "refused-%")), measured: len(p99) > 0,
					})
				}
				t.cells = append(t.cells, cells)
			}
			t.findKnee()
			line = append(line, t)
		}
		out = append(out, line)
	}
	return out
}

// findKnee finds the smallest product of capacity and task actors that is about as good as the best.
func (t *backpressureTable) findKnee() {
	t.knee = [2]int{-1, -1}
	fewest, best, smallest := 100.0, time.Duration(0), 0
	each := func(f func(r, c int, cell backpressureCell)) {
		for r := range t.cells {
			for c, cell := range t.cells[r] {
				if cell.measured && cell.p99 > 0 {
					f(r, c, cell)
				}
			}
		}
	}
	each(func(_, _ int, cell backpressureCell) { fewest = min(fewest, cell.refused) })
	each(func(_, _ int, cell backpressureCell) {
		if cell.refused <= fewest+kneeRefused && (best == 0 || cell.p99 < best) {
			best = cell.p99
		}
	})
	each(func(r, c int, cell backpressureCell) {
		size := t.capacities[r] * t.taskActor[c]
		if cell.refused <= fewest+kneeRefused && float64(cell.p99) <= kneeP99*float64(best) && (smallest == 0 || size < smallest) {
			smallest, t.knee = size, [2]int{r, c}
		}
	})
}

// writeBackpressure writes a table a policy, the kinds beside each other.
func writeBackpressure(b *strings.Builder, m *measurement) {
	suspects, all := 0, 0
	for _, sides := range m.samples {
		for _, samples := range sides {
			for _, s := range samples {
				all++
				suspects += int(s.metrics["suspect"])
			}
		}
	}
	fmt.Fprintf(b, "![p99 and refusals by mailbox kind, policy, capacity and task actors](plots/%s.svg)\n\n", m.name)
	fmt.Fprintf(b, "Bold: the knee, the smallest sizes whose p99 is at most %g times the best among those that refuse fewest. ", kneeP99)
	fmt.Fprintf(b, "%d of %d measurements were suspect.\n", suspects, all)
	for _, line := range backpressureTables(m) {
		fmt.Fprintf(b, "\npolicy `%s`\n\n| mailbox |", line[0].policy)
		for _, n := range line[0].taskActor {
			for _, t := range line {
				fmt.Fprintf(b, " %d task actors, %s |", n, t.kind)
			}
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(line[0].taskActor)*len(line)) + "\n")
		for r, capacity := range line[0].capacities {
			fmt.Fprintf(b, "| %d |", capacity)
			for c := range line[0].taskActor {
				for _, t := range line {
					text := t.cells[r][c].String()
					if t.knee == [2]int{r, c} {
						text = "**" + text + "**"
					}
					fmt.Fprintf(b, " %s |", text)
				}
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
}

// plotBackpressure draws the same.
func plotBackpressure(m *measurement) []byte {
	h := heatmap{
		title: "p99 by mailbox and task actors, and the share that was refused", rows: "mailbox", columns: "task actors",
		note: "5,000 runs a second in bursts of 200. Deeper is later, on a logarithmic scale. Framed: the smallest sizes that are enough.",
	}
	for _, line := range backpressureTables(m) {
		var drawn []heatTable
		for _, t := range line {
			d := heatTable{title: t.kind + ", " + t.policy, rows: texts(t.capacities), columns: texts(t.taskActor)}
			for r := range t.cells {
				var cells []heatCell
				for c, cell := range t.cells[r] {
					cells = append(cells, cell.heat(t.knee == [2]int{r, c}))
				}
				d.cells = append(d.cells, cells)
			}
			drawn = append(drawn, d)
		}
		h.tables = append(h.tables, drawn)
	}
	return h.svg()
}

func (c backpressureCell) heat(knee bool) heatCell {
	if !c.measured || c.p99 == 0 {
		return heatCell{text: c.String()}
	}
	h := heatCell{value: c.p99.Seconds(), text: shortDuration(c.p99), framed: knee}
	if c.refused > 0 {
		h.detail, h.bad = shortPercent(c.refused)+" % refused", c.refused > kneeRefused
	}
	return h
}

func texts(numbers []int) []string {
	var out []string
	for _, n := range numbers {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// number returns the value of a key in a benchmark's name; 0 if there is none.
func number(name, key string) int {
	n, _ := strconv.Atoi(parameter(name, key))
	return n
}

func sorted[K int | string](set map[K]bool) []K {
	var out []K
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

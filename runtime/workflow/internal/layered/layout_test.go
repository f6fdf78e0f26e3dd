package layered_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ringmill/ringmill/runtime/workflow/internal/layered"
)

var cfg = layered.Config{Width: 100, Height: 30, ColumnGap: 50, RowGap: 10, EdgeGap: 8}

// TestLayout: whatever the graph, edges point to the right, nodes do not overlap,
// edges pass no node of another column, and all is inside the drawing.
func TestLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "nodes")
		var edges [][2]int32
		for b := 1; b < n; b++ {
			for a := range b {
				if rapid.IntRange(0, 5).Draw(t, "edge") == 0 {
					edges = append(edges, [2]int32{int32(a), int32(b)})
				}
			}
		}
		d := layered.Layout(n, edges, cfg)
		if len(d.Nodes) != n || len(d.Edges) != len(edges) {
			t.Fatalf("%d nodes, %d edges", len(d.Nodes), len(d.Edges))
		}
		for i, a := range d.Nodes {
			if a.X-50 < -1e-6 || a.X+50 > d.Width+1e-6 || a.Y-15 < -1e-6 || a.Y+15 > d.Height+1e-6 {
				t.Errorf("node %d at %v is outside of %v x %v", i, a, d.Width, d.Height)
			}
			for j := range i {
				b := d.Nodes[j]
				if abs(a.X-b.X) < 100 && abs(a.Y-b.Y) < 30 {
					t.Errorf("nodes %d and %d overlap: %v %v", i, j, a, b)
				}
			}
		}
		for i, path := range d.Edges {
			if path[0].X != d.Nodes[edges[i][0]].X+50 || path[len(path)-1].X != d.Nodes[edges[i][1]].X-50 {
				t.Errorf("edge %v runs from %v to %v", edges[i], path[0], path[len(path)-1])
			}
			for k := 1; k < len(path); k++ {
				if path[k].X <= path[k-1].X {
					t.Errorf("edge %v runs to the left: %v", edges[i], path)
				}
				if path[k].Y != path[k-1].Y || k%2 == 1 {
					continue // between two columns
				}
				for v, node := range d.Nodes {
					if abs(node.X-(path[k].X+path[k-1].X)/2) < 1 && abs(node.Y-path[k].Y) < 15 {
						t.Errorf("edge %v passes node %d", edges[i], v)
					}
				}
			}
		}
	})
}

// TestUncrossed: a graph that can be drawn without crossings is.
func TestUncrossed(t *testing.T) {
	d := layered.Layout(4, [][2]int32{{0, 3}, {1, 2}}, cfg)
	if (d.Nodes[0].Y < d.Nodes[1].Y) != (d.Nodes[3].Y < d.Nodes[2].Y) {
		t.Errorf("two edges cross: %v", d.Nodes)
	}
}

// TestLarge: long edges do not make a large graph a huge one.
func TestLarge(t *testing.T) {
	const n = 5000
	var edges [][2]int32
	for i := int32(1); i < n; i++ {
		edges = append(edges, [2]int32{i - 1, i})
		if i > 1 {
			edges = append(edges, [2]int32{0, i})
		}
	}
	start := time.Now()
	layered.Layout(n, edges, cfg)
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

func abs(x float64) float64 { return max(x, -x) }

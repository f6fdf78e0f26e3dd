// Package layered places the nodes of a directed acyclic graph in columns, from
// left to right, so that all edges point to the right and few cross.
//
// It is the method of Sugiyama, Tagawa and Toda (1981): columns by the longest path
// from a source, points on the edges that span several columns, orders within the
// columns by the mean position of neighbours, and positions that are as close to
// that mean as the order and the gaps between nodes allow (isotonic regression).
// Time and memory grow with nodes, edges and the points on edges, whose number is
// bounded.
package layered

import (
	"cmp"
	"slices"
)

// A Point is a place in a drawing; y grows downwards.
type Point struct{ X, Y float64 }

// A Config sets the distances, in the units of the drawing.
type Config struct {
	Width, Height float64 // of a node: the largest width where Widths is nil
	Widths        []float64
	ColumnGap     float64 // between two columns
	RowGap        float64 // between two nodes of a column
	EdgeGap       float64 // between an edge that passes through a column and what is beside it
}

// A Drawing is where everything is. Nodes are given by their centres.
type Drawing struct {
	Nodes         []Point
	Edges         [][]Point // as given: from the right side of a node, through columns, to the left side of the other
	Width, Height float64
}

// The bounds of the work.
const (
	maxPoints = 200_000 // on edges; beyond it, long edges are drawn straight
	sweeps    = 8       // over all columns, for the order and for the positions each
)

// A vertex is a node or a point on an edge.
type vertex struct {
	column int
	order  int
	y      float64
	left   []int32
	right  []int32
}

// Layout places nodes 0 to n-1 with the given edges, which must form no cycle.
func Layout(n int, edges [][2]int32, cfg Config) Drawing {
	l := layout{cfg: cfg, n: n, vertices: make([]vertex, n)}
	l.columnsOf(edges)
	chains := l.chains(edges)
	l.arrange()
	l.position()
	return l.draw(edges, chains)
}

type layout struct {
	cfg      Config
	n        int
	vertices []vertex
	columns  [][]int32 // vertices, in their order
}

// columnsOf assigns the columns: the longest path from a source.
func (l *layout) columnsOf(edges [][2]int32) {
	succs := make([][]int32, l.n)
	waits := make([]int, l.n)
	for _, e := range edges {
		succs[e[0]] = append(succs[e[0]], e[1])
		waits[e[1]]++
	}
	var ready []int32
	for i, w := range waits {
		if w == 0 {
			ready = append(ready, int32(i))
		}
	}
	for len(ready) > 0 {
		v := ready[0]
		ready = ready[1:]
		for _, s := range succs[v] {
			l.vertices[s].column = max(l.vertices[s].column, l.vertices[v].column+1)
			if waits[s]--; waits[s] == 0 {
				ready = append(ready, s)
			}
		}
	}
	// A source goes next to what it leads to: its edges are short then.
	for i := range l.n {
		v := &l.vertices[i]
		if v.column > 0 || len(succs[i]) == 0 {
			continue
		}
		nearest := l.vertices[succs[i][0]].column
		for _, s := range succs[i] {
			nearest = min(nearest, l.vertices[s].column)
		}
		v.column = nearest - 1
	}
	for i := range l.n {
		for len(l.columns) <= l.vertices[i].column {
			l.columns = append(l.columns, nil)
		}
	}
}

// chains puts points on edges and returns those of each edge.
func (l *layout) chains(edges [][2]int32) [][]int32 {
	points := 0
	for _, e := range edges {
		points += l.vertices[e[1]].column - l.vertices[e[0]].column - 1
	}
	chains := make([][]int32, len(edges))
	for i, e := range edges {
		previous := e[0]
		if points <= maxPoints {
			for column := l.vertices[e[0]].column + 1; column < l.vertices[e[1]].column; column++ {
				p := int32(len(l.vertices))
				l.vertices = append(l.vertices, vertex{column: column})
				chains[i] = append(chains[i], p)
				l.join(previous, p)
				previous = p
			}
		}
		l.join(previous, e[1])
	}
	for i := range l.vertices {
		v := &l.vertices[i]
		v.order = len(l.columns[v.column])
		l.columns[v.column] = append(l.columns[v.column], int32(i))
	}
	return chains
}

func (l *layout) join(a, b int32) {
	l.vertices[a].right = append(l.vertices[a].right, b)
	l.vertices[b].left = append(l.vertices[b].left, a)
}

// arrange orders each column by the mean order of the neighbours on one side, and
// keeps the best order of all sweeps.
func (l *layout) arrange() {
	best, fewest := l.snapshot(), l.crossings()
	for sweep := range sweeps {
		if fewest == 0 {
			break
		}
		for c := range l.columns {
			if sweep%2 == 1 {
				c = len(l.columns) - 1 - c
			}
			l.sortColumn(c, sweep%2 == 0)
		}
		if now := l.crossings(); now < fewest {
			best, fewest = l.snapshot(), now
		}
	}
	l.columns = best
	for _, column := range l.columns {
		for order, v := range column {
			l.vertices[v].order = order
		}
	}
}

func (l *layout) snapshot() [][]int32 {
	copied := make([][]int32, len(l.columns))
	for i, column := range l.columns {
		copied[i] = slices.Clone(column)
	}
	return copied
}

func (l *layout) sortColumn(c int, byLeft bool) {
	column := l.columns[c]
	mean := make(map[int32]float64, len(column))
	for _, v := range column {
		neighbours := l.vertices[v].right
		if byLeft {
			neighbours = l.vertices[v].left
		}
		if len(neighbours) == 0 {
			mean[v] = float64(l.vertices[v].order) // stays where it is
			continue
		}
		sum := 0.0
		for _, u := range neighbours {
			sum += float64(l.vertices[u].order)
		}
		mean[v] = sum / float64(len(neighbours))
	}
	slices.SortStableFunc(column, func(a, b int32) int { return cmp.Compare(mean[a], mean[b]) })
	for order, v := range column {
		l.vertices[v].order = order
	}
}

// crossings counts the crossings between neighbouring columns: inversions, with a
// tree of sums.
func (l *layout) crossings() int {
	total := 0
	for c := range len(l.columns) - 1 {
		tree := make([]int, len(l.columns[c+1])+1)
		added := 0
		for _, v := range l.columns[c] {
			var ends []int
			for _, u := range l.vertices[v].right {
				if l.vertices[u].column == c+1 {
					ends = append(ends, l.vertices[u].order+1)
				}
			}
			for _, end := range ends {
				notAfter := 0
				for i := end; i > 0; i -= i & -i {
					notAfter += tree[i]
				}
				total += added - notAfter
			}
			for _, end := range ends {
				added++
				for i := end; i < len(tree); i += i & -i {
					tree[i]++
				}
			}
		}
	}
	return total
}

// position moves every vertex towards the mean of its neighbours.
func (l *layout) position() {
	for _, column := range l.columns {
		y := 0.0
		for i, v := range column {
			if i > 0 {
				y += l.gap(column[i-1], v)
			}
			l.vertices[v].y = y
		}
		for _, v := range column {
			l.vertices[v].y -= y / 2
		}
	}
	for sweep := range sweeps {
		for c := range l.columns {
			if sweep%2 == 1 {
				c = len(l.columns) - 1 - c
			}
			l.settle(l.columns[c], sweep%2 == 0)
		}
	}
}

func (l *layout) gap(above, below int32) float64 {
	gap := l.cfg.EdgeGap
	if int(above) < l.n && int(below) < l.n {
		return l.cfg.Height + l.cfg.RowGap
	}
	if int(above) < l.n || int(below) < l.n {
		gap += l.cfg.Height / 2
	}
	return gap
}

// settle gives a column the positions that are closest to what its vertices want,
// by least squares, under its order and gaps: pool adjacent violators.
func (l *layout) settle(column []int32, byLeft bool) {
	type pool struct {
		sum   float64 // of wishes, less the offsets
		count int
	}
	var pools []pool
	offset := 0.0
	offsets := make([]float64, len(column))
	for i, v := range column {
		if i > 0 {
			offset += l.gap(column[i-1], v)
		}
		offsets[i] = offset
		pools = append(pools, pool{l.wish(v, byLeft) - offset, 1})
		for k := len(pools) - 1; k > 0 && pools[k-1].sum/float64(pools[k-1].count) > pools[k].sum/float64(pools[k].count); k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].count += pools[k].count
			pools = pools[:k]
		}
	}
	i := 0
	for _, p := range pools {
		for range p.count {
			l.vertices[column[i]].y = p.sum/float64(p.count) + offsets[i]
			i++
		}
	}
}

// wish is where a vertex would like to be.
func (l *layout) wish(v int32, byLeft bool) float64 {
	neighbours := l.vertices[v].right
	if byLeft {
		neighbours = l.vertices[v].left
	}
	if len(neighbours) == 0 {
		return l.vertices[v].y
	}
	sum := 0.0
	for _, u := range neighbours {
		sum += l.vertices[u].y
	}
	return sum / float64(len(neighbours))
}

func (l *layout) draw(edges [][2]int32, chains [][]int32) Drawing {
	d := Drawing{Nodes: make([]Point, l.n), Edges: make([][]Point, len(edges))}
	centres := make([]float64, len(l.columns))
	widths := make([]float64, len(l.columns))
	for c, column := range l.columns {
		for _, v := range column {
			if int(v) < l.n {
				widths[c] = max(widths[c], l.width(v))
			}
		}
		centres[c] = d.Width + widths[c]/2
		d.Width += widths[c] + l.cfg.ColumnGap
	}
	d.Width = max(d.Width-l.cfg.ColumnGap, 0)
	top, bottom := 0.0, 0.0
	for i, v := range l.vertices {
		if i == 0 || v.y < top {
			top = v.y
		}
		if i == 0 || v.y > bottom {
			bottom = v.y
		}
	}
	d.Height = bottom - top + l.cfg.Height
	at := func(v int32) Point {
		return Point{centres[l.vertices[v].column], l.vertices[v].y - top + l.cfg.Height/2}
	}
	for i := range l.n {
		d.Nodes[i] = at(int32(i))
	}
	for i, e := range edges {
		from, to := at(e[0]), at(e[1])
		from.X += l.width(e[0]) / 2
		to.X -= l.width(e[1]) / 2
		path := []Point{from}
		for _, p := range chains[i] {
			// Straight through the column, past its widest node.
			half := widths[l.vertices[p].column] / 2
			centre := at(p)
			path = append(path, Point{centre.X - half, centre.Y}, Point{centre.X + half, centre.Y})
		}
		d.Edges[i] = append(path, to)
	}
	return d
}

func (l *layout) width(v int32) float64 {
	if l.cfg.Widths != nil {
		return l.cfg.Widths[v]
	}
	return l.cfg.Width
}

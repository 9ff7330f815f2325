package html

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// The traffic graph has three columns: callers, waypoints, receivers.
const (
	graphWidth = 760.0
	nodeWidth  = 214.0
	nodeHeight = 46.0
	nodeGap    = 16.0
	graphTop   = 26.0 // below the headings of the columns
)

// call is a row of the traffic table.
type call struct {
	From, To, Share, Failed string
	Calls                   int
}

type node struct {
	name  string
	words string     // its calls
	at    draw.Point // of its upper left corner
}

// graph places nodes in columns, in the order in which edges first name them.
type graph struct {
	columns [3][]*node
}

func (g *graph) node(name string, column int) *node {
	for _, n := range g.columns[column] {
		if n.name == name {
			return n
		}
	}
	n := &node{name: name}
	g.columns[column] = append(g.columns[column], n)
	return n
}

func newGraph(edges []digest.Edge) *graph {
	g := &graph{}
	for _, e := range edges {
		from, to := columns(e, edges)
		g.node(e.From, from)
		g.node(e.To, to)
	}
	most := 0
	for _, c := range g.columns {
		most = max(most, len(c))
	}
	for i, column := range g.columns {
		top := float64(most-len(column)) / 2 * (nodeHeight + nodeGap)
		for k, n := range column {
			n.at = draw.Point{X: 1 + float64(i)*(graphWidth-nodeWidth-2)/2, Y: graphTop + top + float64(k)*(nodeHeight+nodeGap)}
			n.words = calls(n.name, i, edges)
		}
	}
	return g
}

func columns(e digest.Edge, edges []digest.Edge) (from, to int) {
	if e.Waypoint {
		return 1, 2
	}
	if slices.ContainsFunc(edges, func(o digest.Edge) bool { return o.Waypoint && o.From == e.To }) {
		return 0, 1
	}
	return 0, 2
}

func (g *graph) height() float64 {
	most := 1
	for _, c := range g.columns {
		most = max(most, len(c))
	}
	return graphTop + float64(most)*(nodeHeight+nodeGap) - nodeGap + 2
}

// trafficGraph draws who called whom.
func trafficGraph(edges []digest.Edge) template.HTML {
	if len(edges) == 0 {
		return ""
	}
	g := newGraph(edges)
	p := draw.New(graphWidth, g.height(), "who called whom, through which waypoint; the table below has every number")
	for _, e := range slices.Backward(edges) { // the busiest on top
		from, to := columns(e, edges)
		a, b := g.node(e.From, from), g.node(e.To, to)
		begin, end := draw.Point{X: a.at.X + nodeWidth, Y: a.at.Y + nodeHeight/2}, draw.Point{X: b.at.X, Y: b.at.Y + nodeHeight/2}
		p.Curve("edge", begin, end, thickness(e.Calls, edges))
		if e.Failed > 0 {
			p.Curve("failed", begin, end, min(thickness(e.Failed, edges), 4))
		}
	}
	for _, e := range edges {
		if text := shareOf(e, edges); text != "100 %" {
			from, to := columns(e, edges)
			a, b := g.node(e.From, from).at, g.node(e.To, to).at
			p.Text("small halo", shareAt(a, b), text)
		}
	}
	for i, column := range g.columns {
		if len(column) > 0 {
			p.Text("small", draw.Point{X: column[0].at.X, Y: 14}, [...]string{"Callers", "Waypoints", "Called"}[i])
		}
		for _, n := range column {
			p.Rect(fmt.Sprintf("node n%d", i), n.at, nodeWidth, nodeHeight)
			p.Text("label middle", draw.Point{X: n.at.X + nodeWidth/2, Y: n.at.Y + 20}, middle(n.name, 31))
			p.Text("small middle", draw.Point{X: n.at.X + nodeWidth/2, Y: n.at.Y + 36}, n.words)
		}
	}
	return p.HTML()
}

// shareAt is where an edge's share stands: on its curve, a third of the way from
// the caller, where edges to different receivers have parted.
func shareAt(from, to draw.Point) draw.Point {
	const along, risen = 1.0 / 3, 7.0 / 27 // of a curve that begins and ends level
	begin := from.X + nodeWidth
	return draw.Point{X: begin + along*(to.X-begin), Y: from.Y + nodeHeight/2 + risen*(to.Y-from.Y) + 4}
}

// shareOf is the part of its caller's calls that an edge has, in whole per cent:
// there is little room, and the table has the rest.
func shareOf(e digest.Edge, edges []digest.Edge) string {
	total := 0
	for _, o := range edges {
		if o.From == e.From {
			total += o.Calls
		}
	}
	switch share := 100 * float64(e.Calls) / float64(max(1, total)); {
	case share < 1:
		return "<1 %"
	case share > 99 && e.Calls < total:
		return ">99 %"
	default:
		return fmt.Sprintf("%.0f %%", share)
	}
}

// thickness grows with the root of the calls, so that the area of an edge is
// not mistaken for their number and a thin one is still seen.
func thickness(n int, edges []digest.Edge) float64 {
	return 1.5 + 10.5*math.Sqrt(float64(n)/float64(max(1, edges[0].Calls)))
}

// calls says how often a node was called; how often it called, for a caller.
func calls(name string, column int, edges []digest.Edge) string {
	n, failed := 0, 0
	for _, e := range edges {
		from, to := columns(e, edges)
		if column == 0 && from == 0 && e.From == name || column > 0 && to == column && e.To == name {
			n, failed = n+e.Calls, failed+e.Failed
		}
	}
	if failed == 0 {
		return fmt.Sprintf("%d calls", n)
	}
	return fmt.Sprintf("%d calls, %d failed", n, failed)
}

// trafficTable is the graph in words.
func trafficTable(edges []digest.Edge) []call {
	total := map[string]int{}
	for _, e := range edges {
		total[e.From] += e.Calls
	}
	var out []call
	for _, e := range edges {
		failed := "0"
		if e.Failed > 0 {
			failed = fmt.Sprintf("✗ %d (%.2g %%)", e.Failed, 100*float64(e.Failed)/float64(e.Calls))
		}
		switch {
		case e.Untold >= e.Calls:
			failed = "not counted"
		case e.Untold > 0:
			failed += fmt.Sprintf(", %d not counted", e.Untold)
		}
		out = append(out, call{
			From: plain.Line(e.From), To: plain.Line(e.To), Calls: e.Calls, Failed: failed,
			Share: fmt.Sprintf("%.1f %%", 100*float64(e.Calls)/float64(max(1, total[e.From]))),
		})
	}
	return out
}

package html

import (
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strconv"

	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// arm is a version with its declared and observed shares.
type arm struct {
	Version  string
	Declared float64 // -1 if nothing is declared
	Hits, N  int
	Low, Up  float64 // allowed shares
	Exact    bool    // Low and Up are the test's own band
	Through  string  // the waypoint replica, if only its answers are counted
}

func (a arm) share() float64 { return float64(a.Hits) / float64(max(1, a.N)) }

func (a arm) within() bool { return a.share() >= a.Low && a.share() <= a.Up }

// band finds "v1 3744..4079 of 5590" in what a verdict says is allowed.
func band(allowed, version string) (low, up float64, ok bool) {
	find, err := regexp.Compile(`(?:^|[ ,;])` + regexp.QuoteMeta(version) + ` (\d+)\.\.(\d+) of (\d+)`)
	if err != nil {
		return 0, 0, false
	}
	m := find.FindStringSubmatch(allowed)
	if m == nil {
		return 0, 0, false
	}
	var n [3]float64
	for i := range n {
		if n[i], err = strconv.ParseFloat(m[i+1], 64); err != nil {
			return 0, 0, false
		}
	}
	return n[0] / n[2], n[1] / n[2], n[2] > 0
}

// arms gives the declared arms in their order, then what else was answered.
func (s subject) arms() []arm {
	counts := s.seen.Arms.Arms()
	total, declared := 0, map[string]bool{}
	for _, a := range s.params.Arms {
		total += a.Weight
	}
	var out []arm
	for _, a := range s.params.Arms {
		declared[a.Version] = true
		one := arm{Version: a.Version, Declared: float64(a.Weight) / float64(max(1, total)), Hits: counts.Of(a.Version), N: counts.Total()}
		out = append(out, s.allow(one))
	}
	for _, key := range counts.Keys() {
		if !declared[key] {
			out = append(out, arm{Version: key, Declared: -1, Hits: counts.Of(key), N: counts.Total(), Up: 1})
		}
	}
	return out
}

// replicas gives the first arm once more for each waypoint replica, if there
// are several: one that is stale alone would hide in the total.
func (s subject) replicas() []arm {
	names := s.seen.Through.Replicas()
	if len(names) < 2 || len(s.params.Arms) == 0 {
		return nil
	}
	var out []arm
	for _, name := range names {
		counts, whole := s.seen.Through.Of(name), s.arms()[0]
		whole.Hits, whole.N, whole.Through = counts.Of(whole.Version), counts.Total(), name
		delta := float64(s.promise.Delta) / 1000
		whole.Low, whole.Up, whole.Exact = max(0, whole.Declared-delta), min(1, whole.Declared+delta), false
		out = append(out, whole)
	}
	return out
}

// allow sets the band of an arm: that of the test, or else what the smallest
// deviation that matters leaves.
func (s subject) allow(a arm) arm {
	delta := float64(s.promise.Delta) / 1000
	a.Low, a.Up = max(0, a.Declared-delta), min(1, a.Declared+delta)
	if low, up, ok := band(s.verdict.Allowed, a.Version); ok {
		a.Low, a.Up, a.Exact = low, up, true
	} else if len(s.params.Arms) == 2 {
		a = s.mirrored(a)
	}
	return a
}

// mirrored is the band of the second of two arms: what the first one leaves.
func (s subject) mirrored(a arm) arm {
	for _, other := range s.params.Arms {
		if low, up, ok := band(s.verdict.Allowed, other.Version); ok && other.Version != a.Version {
			a.Low, a.Up, a.Exact = 1-up, 1-low, true
		}
	}
	return a
}

const (
	rowHeight = 46.0
	barLeft   = 14.0
	barRight  = width - 18
)

// shares draws one bar for each version: declared, allowed, observed.
func shares(s subject) (picture, bool) {
	arms := append(s.arms(), s.replicas()...)
	if s.seen.Arms.Arms().Total() == 0 {
		return picture{}, false
	}
	caption := "Circle: observed. Thin mark: declared. Shaded: within the smallest deviation that matters."
	if slices.ContainsFunc(arms, func(a arm) bool { return a.Exact }) {
		caption = "Circle: observed. Thin mark: declared. Shaded: the band that the test allows; for a single replica, the smallest deviation that matters."
	}
	svg := shareRows(arms, "shares of answers by version, and of the first version by waypoint replica")
	return picture{Title: "Shares of answers", Caption: caption, SVG: svg}, true
}

func shareRows(arms []arm, title string) template.HTML {
	p := draw.New(width, rowHeight*float64(len(arms))+26, title)
	x := draw.Scale{From: 0, To: 1, Low: barLeft, Up: barRight}
	for i, a := range arms {
		shareRow(p, a, x, rowHeight*float64(i)+4)
	}
	bottom := rowHeight*float64(len(arms)) + 4
	for _, tick := range []float64{0, .25, .5, .75, 1} {
		p.Text("small middle", draw.Point{X: x.At(tick), Y: bottom + 14}, fmt.Sprintf("%.0f %%", tick*100))
	}
	return p.HTML()
}

func shareRow(p *draw.Picture, a arm, x draw.Scale, y float64) {
	middle := y + 28
	p.Line("track", draw.Point{X: x.Low, Y: middle}, draw.Point{X: x.Up, Y: middle})
	if a.Declared >= 0 {
		p.Rect("band", draw.Point{X: x.At(a.Low), Y: middle - 7}, max(2, x.At(a.Up)-x.At(a.Low)), 14)
		p.Line("declared", draw.Point{X: x.At(a.Declared), Y: middle - 9}, draw.Point{X: x.At(a.Declared), Y: middle + 9})
	}
	class, words := "observed", fmt.Sprintf("%.1f %% (%d of %d)", a.share()*100, a.Hits, a.N)
	switch {
	case a.Declared < 0:
		class, words = "observed bad", words+" ✗ not declared"
	case !a.within():
		class, words = "observed bad", words+" ✗ outside"
	}
	p.Dot(class, draw.Point{X: x.At(a.share()), Y: middle}, 5)
	p.Text("label", draw.Point{X: 0, Y: y + 14}, a.name()+": "+words)
}

func (a arm) name() string {
	if a.Through == "" {
		return plain.Cut(a.Version, 30)
	}
	return plain.Cut(a.Version, 9) + " via " + middle(a.Through, 34)
}

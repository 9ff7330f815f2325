package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

const (
	seriesDrawn  = 6
	seriesHeight = 74.0
)

// series draws the samples of a stage, those that the promise is about first.
func series(s subject) (picture, bool) {
	chosen := s.chosenSeries()
	if len(chosen) == 0 {
		return picture{}, false
	}
	p := draw.New(width, seriesHeight*float64(len(chosen))+44, "samples of the cluster over time")
	x := draw.Scale{From: 0, To: s.seen.Span.Seconds(), Low: 54, Up: width - 12}
	bottom := 20 + seriesHeight*float64(len(chosen))
	shade(p, s.windows, x, 20, bottom)
	for i, one := range chosen {
		s.curve(p, one, x, 20+seriesHeight*float64(i))
	}
	timeAxis(p, x, bottom)
	caption := "Dashed: what is promised. Each value stands until the next one. Every curve has its own scale."
	if left := len(s.seen.Series) - len(chosen); left > 0 {
		caption += fmt.Sprintf(" %d more series are in the record.", left)
	}
	return picture{Title: "Cluster over time", SVG: p.HTML(), Caption: caption}, true
}

// chosenSeries are the series of the promise's conditions, then the others.
func (s subject) chosenSeries() []*digest.Series {
	all := slices.Clone(s.seen.Series)
	slices.SortStableFunc(all, func(a, b *digest.Series) int { return s.rank(a) - s.rank(b) })
	return all[:min(len(all), seriesDrawn)]
}

func (s subject) rank(one *digest.Series) int {
	for i, c := range s.params.Conditions {
		if c.Series == one.Name {
			return i
		}
	}
	return len(s.params.Conditions)
}

func (s subject) curve(p *draw.Picture, one *digest.Series, x draw.Scale, top float64) {
	lines := s.limits(one.Name)
	low, up := min(0, one.Min), max(1, one.Max)
	for _, l := range lines {
		low, up = min(low, l.at), max(up, l.at)
	}
	y := draw.Scale{From: low, To: low + (up-low)*1.08, Low: top + seriesHeight - 6, Up: top + 20}
	p.Line("grid", draw.Point{X: x.Low, Y: y.Low}, draw.Point{X: x.Up, Y: y.Low})
	words := []string{plain.Cut(one.Name, 44)}
	for _, l := range lines {
		p.Line("reject", draw.Point{X: x.Low, Y: y.At(l.at)}, draw.Point{X: x.Up, Y: y.At(l.at)})
		words = append(words, l.words)
	}
	p.Text("label halo", draw.Point{X: x.Low, Y: top + 13}, strings.Join(words, ", "))
	for _, v := range []float64{one.Min, one.Max} {
		p.Text("small end", draw.Point{X: x.Low - 6, Y: y.At(v) + 4}, fmt.Sprintf("%.3g", v))
		if one.Min == one.Max {
			break
		}
	}
	p.Path("line", steps(s.seen.Points(one), x, y), false)
}

// line is a limit that a condition sets, with its words.
type line struct {
	at    float64
	words string
}

// limits are those that the promise's conditions set to a series.
func (s subject) limits(name string) []line {
	var out []line
	for _, c := range s.params.Conditions {
		if c.Series != name {
			continue
		}
		out = append(out, c.Reach.lines("reaches")...)
		out = append(out, c.Never.lines("never")...)
		out = append(out, c.Always.lines("always")...)
		out = append(out, c.Last.lines("in the end")...)
	}
	return out
}

func (l *limit) lines(word string) []line {
	if l == nil {
		return nil
	}
	var out []line
	for _, side := range []struct {
		at   *float64
		word string
	}{{l.AtLeast, "at least"}, {l.AtMost, "at most"}, {l.Above, "above"}, {l.Below, "below"}} {
		if side.at != nil {
			out = append(out, line{*side.at, fmt.Sprintf("%s %s %g", word, side.word, *side.at)})
		}
	}
	return out
}

// steps turns points into a staircase up to the end of the plot.
func steps(points []digest.Point, x, y draw.Scale) []draw.Point {
	var out []draw.Point
	for i, point := range points {
		at := draw.Point{X: x.At(point.At.Seconds()), Y: y.At(point.Value)}
		if i > 0 {
			out = append(out, draw.Point{X: at.X, Y: out[len(out)-1].Y})
		}
		out = append(out, at)
	}
	if len(out) > 0 {
		out = append(out, draw.Point{X: x.Up, Y: out[len(out)-1].Y})
	}
	return out
}

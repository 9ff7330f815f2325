package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// pods draws connections by the pod that answered their first request.
func pods(s subject) (picture, bool) {
	keys := s.seen.Pods.Keys()
	if len(keys) == 0 {
		return picture{}, false
	}
	total := s.seen.Pods.Total()
	p := draw.New(width, 34*float64(len(keys))+6, "connections by pod")
	for i, key := range keys {
		n := s.seen.Pods.Of(key)
		bar(p, 34*float64(i), barRow{plain.Cut(key, 60), fmt.Sprintf("%d · %.1f %%", n, 100*float64(n)/float64(total)), n, total})
	}
	return picture{Title: "Connections by pod", SVG: p.HTML(), Caption: "By the pod that answered the first request of each connection."}, true
}

type barRow struct {
	label, value string
	n, of        int
}

func bar(p *draw.Picture, y float64, row barRow) {
	p.Text("label", draw.Point{X: 0, Y: y + 13}, row.label)
	p.Text("value end", draw.Point{X: width, Y: y + 13}, row.value)
	p.Rect("trough", draw.Point{X: 0, Y: y + 18}, width, 8)
	if row.n > 0 {
		p.Rect("bar", draw.Point{X: 0, Y: y + 18}, max(2, float64(row.n)/float64(max(1, row.of))*width), 8)
	}
}

// copies draws how often requests arrived at each receiver.
func copies(s subject) (picture, bool) {
	if len(s.seen.Copies) == 0 {
		return picture{}, false
	}
	words := [4]string{"never arrived", "arrived once", "arrived twice", "arrived 3 times or more"}
	p := draw.New(width, 166*float64(len(s.seen.Copies)), "arrivals of each request by receiver")
	for i, c := range s.seen.Copies {
		y := 166 * float64(i)
		p.Text("head", draw.Point{X: 0, Y: y + 16}, receiver(c))
		h := c.Histogram()
		total := h[0] + h[1] + h[2] + h[3]
		for k, word := range words {
			bar(p, y+24+34*float64(k), barRow{word, fmt.Sprintf("%d of %d", h[k], total), h[k], total})
		}
	}
	return picture{
		Title: "Arrivals by request id", SVG: p.HTML(),
		Caption: "Counted in the ledgers of the receiving pods, for every planned request. A bar that is not empty is never thinner than two pixels.",
	}, true
}

func receiver(c *digest.Copies) string {
	name := plain.Cut(strings.TrimSpace(c.Service+" "+c.Version), 40)
	if c.Log {
		name += ", by its log"
	}
	if c.Beyond > 0 {
		name += fmt.Sprintf(", and %d arrivals of requests that were not planned", c.Beyond)
	}
	return name
}

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
	caption := "Each value stands until the next one. Every curve has its own scale."
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
	y := draw.Scale{From: min(0, one.Min), To: max(1, one.Max) * 1.08, Low: top + seriesHeight - 6, Up: top + 20}
	for _, c := range s.params.Conditions {
		if c.Series == one.Name && c.Never != nil && c.Never.Above != nil {
			y.To = max(y.To, *c.Never.Above*1.08)
			bound(p, x, y.At(*c.Never.Above), [2]string{fmt.Sprintf("never above %g", *c.Never.Above), "under"})
		}
	}
	p.Text("label halo", draw.Point{X: x.Low, Y: top + 13}, plain.Cut(one.Name, 60))
	for _, v := range []float64{one.Min, one.Max} {
		p.Text("small end", draw.Point{X: x.Low - 6, Y: y.At(v) + 4}, fmt.Sprintf("%.3g", v))
		if one.Min == one.Max {
			break
		}
	}
	p.Line("grid", draw.Point{X: x.Low, Y: y.Low}, draw.Point{X: x.Up, Y: y.Low})
	p.Path("line", steps(s.seen.Points(one), x, y), false)
}

// steps turns points into a staircase.
func steps(points []digest.Point, x, y draw.Scale) []draw.Point {
	var out []draw.Point
	for i, point := range points {
		at := draw.Point{X: x.At(point.At.Seconds()), Y: y.At(point.Value)}
		if i > 0 {
			out = append(out, draw.Point{X: at.X, Y: out[len(out)-1].Y})
		}
		out = append(out, at)
	}
	return out
}

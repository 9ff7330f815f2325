package html

import (
	"fmt"
	"math"
	"time"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
)

// ribbon is the latency of one slice of time: its quantiles in milliseconds.
type ribbon struct {
	at                      float64 // seconds
	p1, p10, p50, p90, p99v float64
}

func ribbons(s *digest.Stage) []ribbon {
	var out []ribbon
	for i := range digest.Slices {
		if s.Latency.Count(i) == 0 {
			continue
		}
		ms := func(q float64) float64 {
			d, _ := s.Latency.Quantile(i, q)
			return float64(d) / float64(time.Millisecond)
		}
		at := (float64(i) + .5) / digest.Slices * s.Length.Seconds()
		out = append(out, ribbon{at, ms(.01), ms(.10), ms(.50), ms(.90), ms(.99)})
	}
	return out
}

// latency draws quantile bands over intended time.
func latency(s subject) (picture, bool) {
	slices := ribbons(s.seen)
	if len(slices) == 0 {
		return picture{}, false
	}
	p := draw.New(width, 240, "latency by intended time, as quantile bands")
	x := draw.Scale{From: 0, To: s.seen.Length.Seconds(), Low: 54, Up: width - 12}
	y := s.latencyScale(slices)
	shade(p, s.windows, x, y.Up, y.Low)
	for _, tick := range y.Ticks(5) {
		p.Line("grid", draw.Point{X: x.Low, Y: y.At(tick)}, draw.Point{X: x.Up, Y: y.At(tick)})
		p.Text("small end", draw.Point{X: x.Low - 6, Y: y.At(tick) + 4}, draw.Milliseconds(tick))
	}
	bands(p, slices, x, y)
	s.bounds(p, x, y)
	timeAxis(p, x, y.Low)
	return picture{
		Title: "Latency by intended time", SVG: p.HTML(),
		Caption: "Line: median. Dark band: p10 to p90. Light band: p1 to p99. Logarithmic; answered and timed-out requests, from the instant at which each was meant to be sent." + s.others(),
	}, true
}

func (s subject) latencyScale(slices []ribbon) draw.Scale {
	low, up := math.Inf(1), 0.0
	for _, r := range slices {
		low, up = min(low, r.p1), max(up, r.p99v)
	}
	for _, b := range s.params.Bounds {
		if b.AtLeastMs > 0 {
			low = min(low, b.AtLeastMs)
		}
		up = max(up, b.AtMostMs)
	}
	return draw.Scale{From: low / 1.3, To: up * 1.3, Low: 204, Up: 22, Log: true}
}

func bands(p *draw.Picture, slices []ribbon, x, y draw.Scale) {
	edge := func(of func(ribbon) float64) []draw.Point {
		var out []draw.Point
		for _, r := range slices {
			out = append(out, draw.Point{X: x.At(r.at), Y: y.At(of(r))})
		}
		return out
	}
	area := func(class string, under, over func(ribbon) float64) {
		points, back := edge(under), edge(over)
		for i := range back {
			points = append(points, back[len(back)-1-i])
		}
		p.Path(class, points, true)
	}
	area("wide", func(r ribbon) float64 { return r.p1 }, func(r ribbon) float64 { return r.p99v })
	area("narrow", func(r ribbon) float64 { return r.p10 }, func(r ribbon) float64 { return r.p90 })
	p.Path("line", edge(func(r ribbon) float64 { return r.p50 }), false)
}

// bounds draws the promised bounds as dashed lines with their words.
func (s subject) bounds(p *draw.Picture, x, y draw.Scale) {
	for _, b := range s.params.Bounds {
		name := fmt.Sprintf("p%g", float64(b.Quantile)/10)
		if b.AtLeastMs > 0 {
			bound(p, x, y.At(b.AtLeastMs), [2]string{name + " ≥ " + draw.Milliseconds(b.AtLeastMs), "under"})
		}
		if b.AtMostMs > 0 {
			bound(p, x, y.At(b.AtMostMs), [2]string{name + " ≤ " + draw.Milliseconds(b.AtMostMs), "over"})
		}
	}
}

func bound(p *draw.Picture, x draw.Scale, y float64, words [2]string) {
	p.Line("reject", draw.Point{X: x.Low, Y: y}, draw.Point{X: x.Up, Y: y})
	shift := -5.0
	if words[1] == "under" {
		shift = 13
	}
	p.Text("small end halo", draw.Point{X: x.Up - 2, Y: y + shift}, words[0])
}

const laneHeight = 30.0

// odd draws the failed requests: a lane of bars for each class.
func odd(s subject) (picture, bool) {
	classes := s.seen.Odd.Classes()
	if len(classes) == 0 {
		return picture{}, false
	}
	top := 20.0
	p := draw.New(width, top+laneHeight*float64(len(classes))+24, "failed requests by class and intended time")
	x := draw.Scale{From: 0, To: s.seen.Length.Seconds(), Low: 130, Up: width - 12}
	bottom := top + laneHeight*float64(len(classes))
	shade(p, s.windows, x, top, bottom)
	for i, class := range classes {
		lane(p, s.seen, class, [2]float64{x.Low, top + laneHeight*float64(i)})
	}
	timeAxis(p, x, bottom)
	return picture{
		Title: "Failed requests by class", SVG: p.HTML(),
		Caption: fmt.Sprintf("%d of %d requests failed: no answer, one that only came when net/http sent the request again, or a status other than 200 to 499. Each lane has its own height.", s.seen.Odd.Total(), s.seen.Observed) + s.others(),
	}, true
}

func lane(p *draw.Picture, seen *digest.Stage, class string, at [2]float64) {
	total, counts := seen.Odd.Of(class)
	most := 1
	for _, n := range counts {
		most = max(most, n)
	}
	step := (width - 12 - at[0]) / digest.Slices
	bottom := at[1] + laneHeight
	p.Text("value end", draw.Point{X: at[0] - 8, Y: bottom - 8}, fmt.Sprintf("%s %d", fit(class, 84), total))
	p.Line("track", draw.Point{X: at[0], Y: bottom}, draw.Point{X: width - 12, Y: bottom})
	for i, n := range counts {
		if n > 0 {
			height := max(2, float64(n)/float64(most)*(laneHeight-8))
			p.Rect("bar", draw.Point{X: at[0] + float64(i)*step, Y: bottom - height}, step-.6, height)
		}
	}
}

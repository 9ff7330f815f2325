package html

import (
	"fmt"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
)

// shifted draws the latencies of two stages over each other: for each latency,
// how many requests took at most so long.
func shifted(about []subject) (picture, bool) {
	if len(about) < 2 || about[0].promise.Kind != "shift" {
		return picture{}, false
	}
	with := about[1]
	before, after := about[0].seen.Latency.Whole(), with.seen.Latency.Whole()
	if before.Count() == 0 || after.Count() == 0 {
		return picture{}, false
	}
	p := draw.New(width, 240, "shares of requests by latency, without and with")
	x := draw.Scale{From: min(before.At(.001), after.At(.001)) / 1.2, To: max(before.At(.999), after.At(.999)) * 1.2, Low: 54, Up: width - 12, Log: true}
	y := draw.Scale{From: 0, To: 1, Low: 204, Up: 12}
	for _, tick := range []float64{0, .25, .5, .75, 1} {
		p.Line("grid", draw.Point{X: x.Low, Y: y.At(tick)}, draw.Point{X: x.Up, Y: y.At(tick)})
		p.Text("small end", draw.Point{X: x.Low - 6, Y: y.At(tick) + 4}, fmt.Sprintf("%.0f %%", tick*100))
	}
	for _, tick := range x.Ticks(5) {
		p.Text("small middle", draw.Point{X: x.At(tick), Y: y.Low + 16}, draw.Milliseconds(tick))
	}
	p.Path("line other", curve(before, x, y), false)
	p.Path("line", curve(after, x, y), false)
	with.allowance(p, before, [2]draw.Scale{x, y})
	return picture{
		Title: "Latency without and with", SVG: p.HTML(),
		Caption: fmt.Sprintf("Dotted: without, in %s. Solid: with, in %s. Dashed marks: how far a quantile may move, by %g ms. Logarithmic; from the instant at which each request was meant to be sent.",
			about[0].stageName(), with.stageName(), with.params.BelowMs),
	}, true
}

// curve goes through the quantiles of a distribution.
func curve(of digest.Distribution, x, y draw.Scale) []draw.Point {
	var out []draw.Point
	for i := 1; i <= 999; i += 6 {
		q := float64(i) / 1000
		out = append(out, draw.Point{X: x.At(of.At(q)), Y: y.At(q)})
	}
	return out
}

// allowance marks how far each quantile may move.
func (s subject) allowance(p *draw.Picture, before digest.Distribution, scales [2]draw.Scale) {
	for _, perMille := range s.params.Quantiles {
		q := float64(perMille) / 1000
		y, from := scales[1].At(q), before.At(q)
		p.Line("reject", draw.Point{X: scales[0].At(from), Y: y}, draw.Point{X: scales[0].At(from + s.params.BelowMs), Y: y})
		p.Text("small halo", draw.Point{X: scales[0].At(from+s.params.BelowMs) + 4, Y: y + 4}, fmt.Sprintf("p%g", q*100))
	}
}

func (s subject) stageName() string {
	if s.stage.Window != "" {
		return s.stage.Window
	}
	return s.stage.Name
}

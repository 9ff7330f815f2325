package html

import (
	"fmt"
	"math"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// blocks draws the share of one version block by block of requests: a pick that
// depends on the one before is too uneven, one that takes turns too even.
func blocks(s subject) (picture, bool) {
	steps := evened(s.seen.Arms.Each(s.params.Version))
	counts := s.seen.Arms.Arms()
	mean := float64(counts.Of(s.params.Version)) / float64(max(1, counts.Total()))
	if len(steps) < 2 || mean == 0 || mean == 1 {
		return picture{}, false
	}
	p := draw.New(width, 228, "share of a version in each block of requests")
	x := draw.Scale{From: 0, To: float64(counts.Total()), Low: 52, Up: width - 12}
	y := blockScale(steps, mean)
	shareAxes(p, x, y)
	outside, from := 0, 0
	for _, b := range steps {
		low, up := spread(mean, b.N)
		left, right := x.At(float64(from)), x.At(float64(from+b.N))
		p.Rect("band", draw.Point{X: left, Y: y.At(up)}, right-left, y.At(low)-y.At(up))
		share, class := float64(b.X)/float64(b.N), "observed"
		if share < low || share > up {
			outside++
			class = "observed bad"
		}
		p.Dot(class, draw.Point{X: (left + right) / 2, Y: y.At(share)}, 3)
		from += b.N
	}
	p.Line("declared", draw.Point{X: x.Low, Y: y.At(mean)}, draw.Point{X: x.Up, Y: y.At(mean)})
	return picture{
		Title: "Block by block", SVG: p.HTML(),
		Caption: fmt.Sprintf("Share of %s in each of %d blocks of requests in intended order; line: over all. Shaded: where 997 of 1000 blocks lie if picks are independent; %d are outside. Points that all hug the line would be as odd.",
			plain.Cut(s.params.Version, 20), len(steps), outside),
	}, true
}

// evened adds a last block that is much shorter than the others to the one
// before it.
func evened(steps []digest.Step) []digest.Step {
	last := len(steps) - 1
	if last < 1 || steps[last].N*2 > steps[0].N {
		return steps
	}
	steps[last-1].N += steps[last].N
	steps[last-1].X += steps[last].X
	return steps[:last]
}

// spread is where the share of a block lies, but for 3 in 1000, if each pick is
// drawn by itself: three standard deviations of the binomial distribution.
func spread(mean float64, n int) (low, up float64) {
	reach := 3 * math.Sqrt(mean*(1-mean)/float64(max(1, n)))
	return max(0, mean-reach), min(1, mean+reach)
}

func blockScale(steps []digest.Step, mean float64) draw.Scale {
	low, up := mean, mean
	for _, b := range steps {
		from, to := spread(mean, b.N)
		share := float64(b.X) / float64(b.N)
		low, up = min(low, from, share), max(up, to, share)
	}
	return draw.Scale{From: max(0, low-.03), To: min(1, up+.03), Low: 190, Up: 10}
}

func shareAxes(p *draw.Picture, x, y draw.Scale) {
	for _, tick := range y.Ticks(5) {
		p.Line("grid", draw.Point{X: x.Low, Y: y.At(tick)}, draw.Point{X: x.Up, Y: y.At(tick)})
		p.Text("small end", draw.Point{X: x.Low - 6, Y: y.At(tick) + 4}, fmt.Sprintf("%.4g %%", tick*100))
	}
	requestAxis(p, x, y.Low)
}

package html

import (
	"fmt"
	"math"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// corridor holds the lines of the truncated pair of sequential tests: beyond
// reject a test ends violated, within accept it ends held (package stat has them).
type corridor struct{ lowSlope, lowReject, lowAccept, upSlope, upReject, upAccept float64 }

// corridorOf computes the lines from the declared error probabilities; ok is
// false where a side has no test.
func corridorOf(p0, delta, alpha, beta float64) (c corridor, ok bool) {
	if alpha <= 0 || beta <= 0 || p0-delta <= 0 || p0+delta >= 1 || delta <= 0 {
		return c, false
	}
	line := func(p1 float64) (slope, reject, accept float64) {
		gain := math.Abs(math.Log(p0 * (1 - p1) / (p1 * (1 - p0))))
		return math.Abs(math.Log((1-p1)/(1-p0))) / gain, math.Log(4/alpha) / gain, math.Log(2/beta) / gain
	}
	c.lowSlope, c.lowReject, c.lowAccept = line(p0 - delta)
	c.upSlope, c.upReject, c.upAccept = line(p0 + delta)
	return c, true
}

// walk is what a sequential test follows: how often the requests so far had
// what is declared of a share of them.
type walk struct {
	of, words string // the arm of the design, and what the caption calls it
	declared  float64
	steps     []digest.Step
}

// walk is that of a share's property, or else of a split's first arm.
func (s subject) walk() (walk, bool) {
	if s.own.Path != nil && s.own.Path.Arms().Total() > 1 {
		return walk{s.params.Label, "Requests that are " + plain.Cut(s.params.Label, 40), float64(s.params.PerMille) / 1000, s.own.Path.Of(digest.With)}, true
	}
	if len(s.params.Arms) == 0 || s.seen.Arms.Arms().Total() < 2 {
		return walk{}, false
	}
	first := s.arms()[0]
	return walk{first.Version, "Answers from " + plain.Cut(first.Version, 20), first.Declared, s.seen.Arms.Of(first.Version)}, true
}

// drift draws how far the count was from the declared one, request by request in
// intended order.
func drift(s subject) (picture, bool) {
	w, ok := s.walk()
	if !ok {
		return picture{}, false
	}
	last := s.lastRequest(w.of, float64(w.steps[len(w.steps)-1].N))
	c, lined := corridorOf(w.declared, float64(s.promise.Delta)/1000, s.alphaOfArm(), s.promise.Beta)
	reach := 10.0
	for _, step := range w.steps {
		reach = max(reach, math.Abs(ahead(step, w.declared)))
	}
	if lined {
		reach = max(reach, (w.declared-c.lowSlope)*last+c.lowReject)
	}
	p := draw.New(width, 232, "distance from the declared count, in intended order")
	x := draw.Scale{From: 0, To: last, Low: 52, Up: width - 12}
	y := draw.Scale{From: -reach * 1.06, To: reach * 1.06, Low: 196, Up: 12}
	pathAxes(p, x, y)
	if lined {
		pathLines(p, c, w.declared, [2]draw.Scale{x, y})
		s.cap(p, w, [2]draw.Scale{x, y})
	}
	var line []draw.Point
	for _, step := range w.steps {
		line = append(line, draw.Point{X: x.At(float64(step.N)), Y: y.At(ahead(step, w.declared))})
	}
	p.Path("line", line, false)
	return picture{Title: "Sequential path", Caption: s.driftCaption(w, lined), SVG: p.HTML()}, true
}

func (s subject) driftCaption(w walk, lined bool) string {
	caption := fmt.Sprintf("%s beyond the declared %.4g %%, over the requests in intended order.", w.words, w.declared*100)
	if lined {
		caption += " Crossing a dashed line ends the test as violated; entering the shaded wedge ends it as held."
	}
	if d, ok := s.design(w.of); ok && lined {
		caption += fmt.Sprintf(" At the cap %d..%d of %d are allowed.", d.Lo, d.Hi, d.N)
	}
	return caption
}

// design is the planned test of an arm.
func (s subject) design(version string) (record.Design, bool) {
	for _, d := range s.promise.Design {
		if d.Of == version {
			return d, true
		}
	}
	return record.Design{}, false
}

// lastRequest is where the axis ends: at the cap of the test if the path came near it.
func (s subject) lastRequest(version string, last float64) float64 {
	if d, ok := s.design(version); ok && last > .6*float64(d.N) {
		return max(last, float64(d.N))
	}
	return last
}

// cap draws what is allowed at the cap of the test.
func (s subject) cap(p *draw.Picture, w walk, scales [2]draw.Scale) {
	d, ok := s.design(w.of)
	if n := float64(d.N); ok && n <= scales[0].To {
		from, to := float64(d.Lo)-w.declared*n, float64(d.Hi)-w.declared*n
		p.Line("declared", draw.Point{X: scales[0].At(n), Y: scales[1].At(from)}, draw.Point{X: scales[0].At(n), Y: scales[1].At(to)})
	}
}

// alphaOfArm is the share of alpha that one arm's test has: two arms are one test.
func (s subject) alphaOfArm() float64 {
	if n := len(s.params.Arms); n > 2 {
		return s.promise.Alpha / float64(n)
	}
	return s.promise.Alpha
}

func ahead(step digest.Step, declared float64) float64 {
	return float64(step.X) - declared*float64(step.N)
}

func pathAxes(p *draw.Picture, x, y draw.Scale) {
	for _, tick := range y.Ticks(5) {
		p.Line("grid", draw.Point{X: x.Low, Y: y.At(tick)}, draw.Point{X: x.Up, Y: y.At(tick)})
		p.Text("small end", draw.Point{X: x.Low - 6, Y: y.At(tick) + 4}, signed(tick))
	}
	requestAxis(p, x, y.Low)
}

// requestAxis counts requests below a plot.
func requestAxis(p *draw.Picture, x draw.Scale, y float64) {
	for _, tick := range x.Ticks(5) {
		p.Text("small middle", draw.Point{X: x.At(tick), Y: y + 16}, fmt.Sprintf("%.0f", math.Abs(tick)))
	}
	p.Line("axis", draw.Point{X: x.Low, Y: y}, draw.Point{X: x.Up, Y: y})
	p.Text("small end", draw.Point{X: x.Up, Y: y + 32}, "requests")
}

// signed renders a distance with its sign; none has none.
func signed(v float64) string {
	if math.Abs(v) < 1e-9 {
		return "0"
	}
	return fmt.Sprintf("%+.4g", v)
}

// pathLines draws the lines of the test as distances from the declared count.
func pathLines(p *draw.Picture, c corridor, p0 float64, scales [2]draw.Scale) {
	x, y := scales[0], scales[1]
	at := func(n, slope, offset float64) draw.Point {
		return draw.Point{X: x.At(n), Y: y.At((slope-p0)*n + offset)}
	}
	for _, l := range [][2]float64{{c.lowSlope, -c.lowReject}, {c.upSlope, c.upReject}} {
		p.Line("reject", at(0, l[0], l[1]), at(x.To, l[0], l[1]))
	}
	// The held wedge opens where its two lines meet.
	meet := (c.lowAccept + c.upAccept) / (c.upSlope - c.lowSlope)
	if meet < x.To {
		p.Path("band", []draw.Point{
			at(meet, c.lowSlope, c.lowAccept), at(x.To, c.lowSlope, c.lowAccept), at(x.To, c.upSlope, -c.upAccept),
		}, true)
	}
}

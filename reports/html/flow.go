package html

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// Good requests grow up from the middle line, failed ones down: the side tells
// them apart, not the colour.
const (
	flowTop    = 22.0
	flowMiddle = 124.0
	flowBottom = 184.0
)

// flow draws the requests that a promise about errors reads, over time.
func flow(s subject) (picture, bool) {
	f := s.own.Flow
	if f == nil {
		return picture{}, false
	}
	sent, failed, most, worst := 0, 0, 1, 1
	for i := range f.Good {
		sent, failed = sent+f.Good[i]+f.Failed[i], failed+f.Failed[i]
		most, worst = max(most, f.Good[i]), max(worst, f.Failed[i])
	}
	if sent == 0 {
		return picture{}, false
	}
	p := draw.New(width, flowBottom+26, "good and failed requests over time")
	length := max(s.seen.Length.Seconds(), f.Slice.Seconds()*float64(len(f.Good)))
	x := draw.Scale{From: 0, To: length, Low: 54, Up: width - 12}
	shade(p, s.windows, x, flowTop, flowBottom)
	up := draw.Scale{From: 0, To: float64(most), Low: flowMiddle, Up: flowTop + 6}
	down := draw.Scale{From: 0, To: float64(worst), Low: flowMiddle, Up: flowBottom - 6}
	step := x.At(f.Slice.Seconds()) - x.Low
	for i := range f.Good {
		at := x.At(float64(i) * f.Slice.Seconds())
		p.Rect("good", draw.Point{X: at, Y: up.At(float64(f.Good[i]))}, step-.6, flowMiddle-up.At(float64(f.Good[i])))
		if f.Failed[i] > 0 {
			p.Rect("bad", draw.Point{X: at, Y: flowMiddle}, step-.6, max(2, down.At(float64(f.Failed[i]))-flowMiddle))
		}
	}
	p.Line("axis", draw.Point{X: x.Low, Y: flowMiddle}, draw.Point{X: x.Up, Y: flowMiddle})
	p.Text("small end", draw.Point{X: x.Low - 6, Y: up.Up + 4}, fmt.Sprintf("%d good", most))
	p.Text("small end", draw.Point{X: x.Low - 6, Y: down.Up + 4}, failedScale(failed, worst))
	s.deadlines(p, x)
	timeAxis(p, x, flowBottom)
	caption := fmt.Sprintf("By intended time, in slices of %v: good ones upwards, failed ones downwards, each on a scale of its own. %d of %d requests failed.", f.Slice, failed, sent)
	if s.params.Window != "" && s.promise.Kind == "bound" {
		caption += fmt.Sprintf(" The promise is about the window %q.", plain.Cut(s.params.Window, 24))
	}
	return picture{Title: "Good and failed requests", SVG: p.HTML(), Caption: caption}, true
}

func failedScale(failed, worst int) string {
	if failed == 0 {
		return "none"
	}
	return fmt.Sprintf("%d bad", worst)
}

// deadlines marks until when an arm had to be whole again, and since when it was.
func (s subject) deadlines(p *draw.Picture, x draw.Scale) {
	from, ok := s.since()
	if s.promise.Kind != "recovery" || !ok {
		return
	}
	due := from + float64(s.params.WithinMs)/1000
	p.Line("reject", draw.Point{X: x.At(due), Y: flowTop}, draw.Point{X: x.At(due), Y: flowBottom})
	p.Text("small halo", draw.Point{X: x.At(due) + 3, Y: flowBottom - 4}, "due")
	if took, ok := s.figure("recovery"); ok {
		if d, err := time.ParseDuration(took); err == nil {
			at := x.At(from + d.Seconds())
			p.Line("declared", draw.Point{X: at, Y: flowTop}, draw.Point{X: at, Y: flowBottom})
			p.Text("small halo end", draw.Point{X: at - 3, Y: flowBottom - 4}, "whole")
		}
	}
}

// since is the instant from which a recovery is timed, in seconds from the base.
func (s subject) since() (float64, bool) {
	for _, w := range s.windows {
		if w.Name == plain.Cut(s.params.Window, 24) {
			if s.params.FromStart {
				return w.From, true
			}
			return w.To, true
		}
	}
	return 0, false
}

// figure is a number behind the verdict.
func (s subject) figure(name string) (string, bool) {
	for _, f := range s.verdict.Figures {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// rate draws what is known of an error rate against its budget. A budget of
// none has no rate: one error refutes it.
func rate(s subject) (picture, bool) {
	low, okLow := s.perMillion("lower bound per million")
	up, okUp := s.perMillion("upper bound per million")
	if !okLow || !okUp || s.params.BudgetPPM <= 0 {
		return picture{}, false
	}
	budget := float64(s.params.BudgetPPM)
	x := draw.Scale{From: 1, To: 1e6, Low: barLeft, Up: barRight, Log: true}
	p := draw.New(width, 74, "bounds of the error rate, and its budget")
	class, words := "observed", "within the budget"
	switch {
	case low > budget:
		class, words = "observed bad", "✗ beyond the budget"
	case up > budget:
		words = "? neither within the budget nor beyond it"
	}
	p.Text("label", draw.Point{X: 0, Y: 14}, fmt.Sprintf("%.4g to %.4g errors per million, budget %g: %s", low, up, budget, words))
	p.Line("track", draw.Point{X: x.Low, Y: 36}, draw.Point{X: x.Up, Y: 36})
	p.Rect("band", draw.Point{X: x.Low, Y: 26}, x.At(budget)-x.Low, 20)
	p.Line("reject", draw.Point{X: x.At(budget), Y: 24}, draw.Point{X: x.At(budget), Y: 48})
	p.Line("line", draw.Point{X: x.At(low), Y: 36}, draw.Point{X: x.At(up), Y: 36})
	p.Dot(class, draw.Point{X: x.At(low), Y: 36}, 4)
	p.Dot(class, draw.Point{X: x.At(up), Y: 36}, 4)
	for e := 0; e <= 6; e += 2 {
		v := math.Pow(10, float64(e))
		p.Text("small middle", draw.Point{X: min(x.At(v), x.Up-10), Y: 64}, strconv.FormatFloat(v, 'f', 0, 64))
	}
	return picture{
		Title: "Error rate", SVG: p.HTML(),
		Caption: "Between the circles: where the rate is, with the stated error probabilities. Shaded up to the dashed line: the budget. Errors per million, logarithmic; below 1 is drawn at 1.",
	}, true
}

func (s subject) perMillion(name string) (float64, bool) {
	text, ok := s.figure(name)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return v, err == nil
}

package html

import (
	"html/template"
	"slices"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// picture is one drawing with what it shows and how to read it.
type picture struct {
	Title, Caption string
	SVG            template.HTML
}

// Pictures are drawn at one width, so that their letters are equally large.
const (
	width       = 480.0
	stagesDrawn = 3 // of one promise: before, applied, after
)

// subject is a promise with its verdict and one of its stages.
type subject struct {
	promise record.Promise
	verdict record.Verdict
	params  params
	stage   *record.Stage
	seen    *digest.Stage
	own     digest.Promised // what only this promise counts
	windows []window
}

// subjects are the stages of a promise that are drawn, and how many more there
// are in the record.
func subjects(run *record.Run, d *digest.Digest, v record.Verdict) (out []subject, more int) {
	at := slices.IndexFunc(run.Plan.Promises, func(p record.Promise) bool { return p.ID == v.ID })
	if at < 0 {
		return nil, 0
	}
	p := run.Plan.Promises[at]
	known := readParams(p.Params)
	var own digest.Promised
	if counted := d.Promised[p.ID]; counted != nil {
		own = *counted
	}
	for _, name := range p.Stages {
		i, stage, ok := run.StageNamed(name)
		if !ok {
			continue
		}
		if len(out) == stagesDrawn {
			more++
			continue
		}
		out = append(out, subject{p, v, known, stage, d.Stages[i], own, windowsOf(run, stage, d.Stages[i])})
	}
	return out, more
}

// pictures are what there is to draw of a stage, the promise's own first.
func (s subject) pictures() []picture {
	var out []picture
	for _, paint := range paintersOf(s.promise.Kind) {
		if p, ok := paint(s); ok {
			p.Title += s.where()
			out = append(out, p)
		}
	}
	return out
}

// where names the stage if the promise has several.
func (s subject) where() string {
	if len(s.promise.Stages) < 2 {
		return ""
	}
	name := s.stage.Window
	if name == "" {
		name = s.stage.Name
	}
	return " · " + plain.Line(name)
}

// window is a stretch of a stage, in seconds from its base.
type window struct {
	Name     string
	From, To float64
	Shade    string // none, light or fault
}

func windowsOf(run *record.Run, stage *record.Stage, seen *digest.Stage) []window {
	var out []window
	for _, w := range run.Windows {
		from, to := w.Start.Sub(stage.Base).Seconds(), w.End.Sub(stage.Base).Seconds()
		if w.Spec != stage.Spec || to <= 0 || from >= seen.Length.Seconds() {
			continue
		}
		out = append(out, window{plain.Cut(w.Name, 24), max(0, from), min(to, seen.Length.Seconds()), shadeOf(w)})
	}
	return out
}

// shadeOf is the shade of a window: quiet ones have none.
func shadeOf(w record.Window) string {
	switch w.Name {
	case "baseline", "before", "after":
		return "none"
	case "recovery":
		return "light"
	}
	if w.Fault != "" || w.Name == "fault" {
		return "fault"
	}
	return "light"
}

// shade draws windows behind a plot, each with its name: the shade of a fault
// is hatched, so it is told apart on paper too.
func shade(p *draw.Picture, windows []window, x draw.Scale, top, bottom float64) {
	for _, w := range windows {
		left, right := x.At(w.From), x.At(w.To)
		if w.Shade != "none" {
			p.Rect("window "+w.Shade, draw.Point{X: left, Y: top}, right-left, bottom-top)
		}
		if w.Shade == "fault" {
			hatch(p, left, right, [2]float64{top, bottom})
		}
		p.Line("tick", draw.Point{X: left, Y: top - 14}, draw.Point{X: left, Y: bottom})
		p.Text("small", draw.Point{X: left + 3, Y: top - 4}, fit(w.Name, right-left))
	}
}

func hatch(p *draw.Picture, left, right float64, y [2]float64) {
	for x := left + 5; x < right; x += 9 {
		p.Line("hatch", draw.Point{X: x, Y: y[0]}, draw.Point{X: x, Y: y[1]})
	}
}

// fit cuts a name to the pixels that it has; a small letter is about 5.6 wide.
func fit(name string, pixels float64) string {
	n := int(pixels / 5.6)
	if n < 3 {
		return ""
	}
	return plain.Cut(name, n)
}

// timeAxis draws seconds below a plot.
func timeAxis(p *draw.Picture, x draw.Scale, y float64) {
	for _, tick := range x.Ticks(6) {
		at := x.At(tick)
		p.Line("tick", draw.Point{X: at, Y: y}, draw.Point{X: at, Y: y + 4})
		anchor := "small middle"
		if at > x.Up-18 {
			anchor, at = "small end", x.Up
		}
		p.Text(anchor, draw.Point{X: at, Y: y + 16}, draw.Seconds(tick, x.To))
	}
	p.Line("axis", draw.Point{X: x.Low, Y: y}, draw.Point{X: x.Up, Y: y})
}

// Package trend renders what many runs say together as one page: each
// measurement over time with the points at which it shifted, and the promises
// whose verdicts changed although no version did.
//
// It is handed series and flips; where they come from and what a change point
// is, is not its business (package history). Like every report it opens no
// connection, and the same input gives the same bytes.
package trend

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"

	"github.com/wayproof/wayproof/reports/html"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

//go:embed page.gohtml
var files embed.FS

// History is what the page shows.
type History struct {
	Runs    int
	Series  []Series
	Flakes  []Flake
	Damaged []string // lines that could not be read
}

// Series is one measurement over the runs, oldest first.
type Series struct {
	Title  string
	Unit   string
	Points []Point
	Shifts []Shift
}

// Point is the value of one run.
type Point struct {
	Run     string
	At      time.Time
	Value   float64
	Version string // of what was under test
}

// Shift is a change point: the index of the first run after it.
type Shift struct {
	At int
	P  float64
}

// Flake is a promise whose verdict changed without a change of versions.
type Flake struct {
	Promise string
	Runs    int
	Flips   []Flip
}

// Flip is one such change.
type Flip struct{ From, To, Was, Is, Version string }

// content is the page as its template sees it.
type content struct {
	Policy   template.HTMLAttr
	Style    template.CSS
	Sentence string
	Class    string
	Shifted  []card
	Steady   []card
	Flakes   []Flake
	Damaged  []string
}

type card struct {
	Title, Unit, Caption string
	Shifts               []shifted
	SVG                  template.HTML
}

// shifted is a change point in words.
type shifted struct{ Run, When, From, To, P, Version string }

// Render writes the page.
func Render(w io.Writer, h History) error {
	style, hash, err := html.Style()
	if err != nil {
		return fmt.Errorf("render trend page: %w", err)
	}
	t, err := template.ParseFS(files, "page.gohtml")
	if err != nil {
		return fmt.Errorf("parse trend page: %w", err)
	}
	c := content{
		Policy: template.HTMLAttr(`content="default-src 'none'; style-src '` + hash + `'; img-src data:; base-uri 'none'; form-action 'none'"`),
		Style:  template.CSS(style), Class: "held", Flakes: h.Flakes, Damaged: h.Damaged,
	}
	shifts := 0
	for _, s := range h.Series {
		shifts += len(s.Shifts)
		if len(s.Shifts) > 0 {
			c.Shifted = append(c.Shifted, newCard(s))
		} else {
			c.Steady = append(c.Steady, newCard(s))
		}
	}
	if shifts+len(h.Flakes) > 0 {
		c.Class = "inconclusive"
	}
	c.Sentence = sentence(h, shifts)
	if err := t.Execute(w, c); err != nil {
		return fmt.Errorf("render trend page: %w", err)
	}
	return nil
}

func sentence(h History, shifts int) string {
	return fmt.Sprintf("%s, %s: %s, and %s changed a verdict without a change of versions.",
		count(h.Runs, "run"), count(len(h.Series), "measurement"), count(shifts, "shift"), count(len(h.Flakes), "promise"))
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func newCard(s Series) card {
	c := card{Title: plain.Cut(s.Title, 140), Unit: plain.Cut(s.Unit, 40), SVG: chart(s)}
	last := s.Points[max(0, len(s.Points)-1):]
	c.Caption = count(len(s.Points), "run") + "; straight line: their mean."
	if len(s.Shifts) > 0 {
		c.Caption = count(len(s.Points), "run") + "; dashed lines: shifts, straight lines: the means between them."
	}
	if len(last) == 1 {
		c.Caption = fmt.Sprintf("Latest %s. ", value(last[0].Value, s.Unit)) + c.Caption
	}
	levels := s.levels()
	for i, shift := range s.Shifts {
		if i+1 >= len(levels) || shift.At < 0 || shift.At >= len(s.Points) {
			continue
		}
		at := s.Points[shift.At]
		c.Shifts = append(c.Shifts, shifted{
			Run: plain.Cut(at.Run, 60), When: at.At.UTC().Format(time.DateOnly), Version: plain.Cut(at.Version, 60),
			From: value(levels[i].mean, s.Unit), To: value(levels[i+1].mean, s.Unit), P: fmt.Sprintf("%.2g", shift.P),
		})
	}
	return c
}

// level is a stretch of runs between two shifts.
type level struct {
	from, to int // to is excluded
	mean     float64
}

func (s Series) levels() []level {
	var levels []level
	from := 0
	for _, shift := range append(append([]Shift(nil), s.Shifts...), Shift{At: len(s.Points)}) {
		if shift.At <= from || shift.At > len(s.Points) {
			continue
		}
		sum := 0.0
		for _, p := range s.Points[from:shift.At] {
			sum += p.Value
		}
		levels = append(levels, level{from, shift.At, sum / float64(shift.At-from)})
		from = shift.At
	}
	return levels
}

const (
	width  = 520.0
	height = 180.0
)

// chart draws one measurement, run by run.
func chart(s Series) template.HTML {
	p := draw.New(width, height, plain.Cut(s.Title, 140)+" over the runs")
	top := 0.0
	for _, point := range s.Points {
		top = max(top, point.Value)
	}
	if top == 0 || math.IsInf(top, 0) || math.IsNaN(top) {
		top = 1
	}
	x := draw.Scale{From: 0, To: float64(max(1, len(s.Points)-1)), Low: 62, Up: width - 12}
	y := draw.Scale{From: 0, To: top * 1.1, Low: height - 26, Up: 12}
	for _, tick := range y.Ticks(4) {
		p.Line("grid", draw.Point{X: x.Low, Y: y.At(tick)}, draw.Point{X: x.Up, Y: y.At(tick)})
		p.Text("small end", draw.Point{X: x.Low - 6, Y: y.At(tick) + 4}, fmt.Sprintf("%.4g", tick))
	}
	for _, l := range s.levels() {
		p.Line("declared", draw.Point{X: x.At(float64(l.from)), Y: y.At(l.mean)}, draw.Point{X: x.At(float64(l.to - 1)), Y: y.At(l.mean)})
	}
	var line []draw.Point
	for i, point := range s.Points {
		line = append(line, draw.Point{X: x.At(float64(i)), Y: y.At(point.Value)})
	}
	p.Path("line", line, false)
	for _, at := range line {
		p.Dot("observed", at, 3)
	}
	for _, shift := range s.Shifts {
		at := x.At(float64(shift.At) - 0.5)
		p.Line("reject", draw.Point{X: at, Y: y.Low}, draw.Point{X: at, Y: y.Up})
	}
	if n := len(s.Points); n > 0 {
		p.Text("small", draw.Point{X: x.Low, Y: height - 8}, s.Points[0].At.UTC().Format(time.DateOnly))
		p.Text("small end", draw.Point{X: x.Up, Y: height - 8}, s.Points[n-1].At.UTC().Format(time.DateOnly))
	}
	return p.HTML()
}

func value(v float64, unit string) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return fmt.Sprintf("%.3g %s", v, unit)
}

// Package draw makes small SVG pictures out of shapes in classes: a style sheet
// gives them their colours, so that one picture serves light, dark and paper.
// Every string that reaches a picture is escaped here and nowhere else.
package draw

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/wayproof/wayproof/reports/internal/plain"
)

// Picture is an SVG under construction. Coordinates are in pixels of its view box.
type Picture struct {
	Width, Height float64
	title         string
	body          strings.Builder
}

// Point is a point of a line.
type Point struct{ X, Y float64 }

// New begins a picture. The title is what a screen reader says of it.
func New(width, height float64, title string) *Picture {
	return &Picture{Width: width, Height: height, title: title}
}

// HTML is the finished picture.
func (p *Picture) HTML() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %s %s" role="img" aria-label="%s">%s</svg>`,
		number(p.Width), number(p.Height), escape(p.title), p.body.String()))
}

// Rect draws a rectangle.
func (p *Picture) Rect(class string, at Point, width, height float64) {
	fmt.Fprintf(&p.body, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`,
		escape(class), number(at.X), number(at.Y), number(max(0, width)), number(max(0, height)))
}

// Line draws a straight line.
func (p *Picture) Line(class string, from, to Point) {
	fmt.Fprintf(&p.body, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`,
		escape(class), number(from.X), number(from.Y), number(to.X), number(to.Y))
}

// Path draws a line through points, closed if asked.
func (p *Picture) Path(class string, points []Point, closed bool) {
	if len(points) == 0 {
		return
	}
	var d strings.Builder
	for i, at := range points {
		d.WriteString([...]string{"M", "L"}[min(i, 1)])
		d.WriteString(number(at.X) + " " + number(at.Y))
	}
	if closed {
		d.WriteString("Z")
	}
	fmt.Fprintf(&p.body, `<path class="%s" d="%s"/>`, escape(class), d.String())
}

// Curve draws a horizontal S from one point to another, as wide as asked.
func (p *Picture) Curve(class string, from, to Point, width float64) {
	middle := (from.X + to.X) / 2
	fmt.Fprintf(&p.body, `<path class="%s" stroke-width="%s" d="M%s %sC%s %s %s %s %s %s"/>`,
		escape(class), number(width), number(from.X), number(from.Y),
		number(middle), number(from.Y), number(middle), number(to.Y), number(to.X), number(to.Y))
}

// Dot draws a filled circle.
func (p *Picture) Dot(class string, at Point, radius float64) {
	fmt.Fprintf(&p.body, `<circle class="%s" cx="%s" cy="%s" r="%s"/>`,
		escape(class), number(at.X), number(at.Y), number(radius))
}

// Text writes a line of text; classes "end" and "middle" anchor it there.
func (p *Picture) Text(class string, at Point, text string) {
	fmt.Fprintf(&p.body, `<text class="%s" x="%s" y="%s">%s</text>`,
		escape(class), number(at.X), number(at.Y), escape(text))
}

func escape(s string) string { return template.HTMLEscapeString(plain.Line(s)) }

// number has one digit after the point: finer is not seen and only fills the page.
func number(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

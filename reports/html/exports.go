package html

import (
	"fmt"

	"github.com/wayproof/wayproof/reports/internal/draw"
)

// exports draws whether what was sampled came out as spans, and nothing else.
func exports(s subject) (picture, bool) {
	e := s.own.Exports
	if e == nil {
		return picture{}, false
	}
	var whole, short, lost, quiet, surplus int
	for spans := range e.Sampled {
		switch {
		case spans == 0:
			lost, quiet = lost+e.Sampled[0], quiet+e.Dropped[0]
		case spans < e.Least:
			short, surplus = short+e.Sampled[spans], surplus+e.Dropped[spans]
		default:
			whole, surplus = whole+e.Sampled[spans], surplus+e.Dropped[spans]
		}
	}
	sampled, unsampled := whole+short+lost, quiet+surplus
	rows := []barRow{
		{atLeast(e.Least), "", whole, sampled},
		{"sampled, and exported with fewer", "", short, sampled},
		{"sampled, and not exported", "", lost, sampled},
		{"not sampled, and no span", "", quiet, unsampled},
		{"not sampled, and spans all the same", "", surplus, unsampled},
		{"arrived without a trace context", "", e.Blind, sampled + unsampled + e.Blind},
	}
	if sampled+unsampled+e.Blind == 0 {
		return picture{}, false
	}
	p := draw.New(width, 34*float64(len(rows)), "requests by sampling and export")
	for i, row := range rows {
		row.value = fmt.Sprintf("%d of %d", row.n, row.of)
		if bad := i == 1 || i == 2 || i >= 4; bad && row.n > 0 {
			row.label = "✗ " + row.label
		}
		bar(p, 34*float64(i), row)
	}
	return picture{
		Title: "Sampled and exported", SVG: p.HTML(),
		Caption: fmt.Sprintf("Sampled: by the trace context that arrived at the pods. Exported: by the spans that the trace sink has. %d spans are of no request.", e.Strays),
	}, true
}

func atLeast(spans int) string {
	if spans == 1 {
		return "sampled, and exported"
	}
	return fmt.Sprintf("sampled, and exported with %d spans or more", spans)
}

package html

import (
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/reports/internal/digest"
)

// proportion draws the share of the requests that have a property.
func proportion(s subject) (picture, bool) {
	if s.own.Path == nil || s.own.Path.Arms().Total() == 0 {
		return picture{}, false
	}
	counts := s.own.Path.Arms()
	a := arm{Version: s.params.Label, Declared: float64(s.params.PerMille) / 1000, Hits: counts.Of(digest.With), N: counts.Total()}
	caption := "Circle: observed. Thin mark: declared. Shaded: within the smallest deviation that matters."
	switch low, up, ok := onlyBand(s.verdict.Allowed); {
	case s.params.PerMille == 0 || s.params.PerMille == 1000:
		a.Low, a.Up = a.Declared, a.Declared
		caption = "Circle: observed. Thin mark: declared, without exception."
	case ok:
		a.Low, a.Up, a.Exact = low, up, true
		caption = "Circle: observed. Thin mark: declared. Shaded: the band that the test allows where it ended."
	default:
		delta := float64(s.promise.Delta) / 1000
		a.Low, a.Up = max(0, a.Declared-delta), min(1, a.Declared+delta)
	}
	return picture{Title: "Share of requests", Caption: caption, SVG: shareRows([]arm{a}, "share of the requests that have the property")}, true
}

// onlyBand finds "261..468 of 3592" in what a verdict says is allowed.
func onlyBand(allowed string) (low, up float64, ok bool) {
	var from, to, n float64
	if _, err := fmt.Sscanf(strings.Replace(allowed, "..", " ", 1), "%f %f of %f", &from, &to, &n); err != nil {
		return 0, 0, false
	}
	return from / n, to / n, n > 0
}

// percent renders a part of a whole.
func percent(part, whole int) string {
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(max(1, whole)))
}

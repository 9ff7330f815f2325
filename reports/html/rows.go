package html

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// rowHigh is the height of a row of texts: its name, and below what it says.
const rowHigh = 50.0

// rows draws texts that were declared beside those that were read at the end.
func rows(s subject) (picture, bool) {
	wanted := map[string]string{}
	if json.Unmarshal(s.params.Rows, &wanted) != nil {
		return picture{}, false
	}
	read := map[string]string{}
	for _, f := range s.verdict.Figures {
		read[f.Name] = f.Value
	}
	keys := slices.Sorted(maps.Keys(wanted))
	for _, key := range slices.Sorted(maps.Keys(read)) {
		if _, known := wanted[key]; !known {
			keys = append(keys, key)
		}
	}
	keys = keys[:min(len(keys), rowsDrawn)]
	if len(keys) == 0 {
		return picture{}, false
	}
	p := draw.New(width, rowHigh*float64(len(keys)), "rows as declared and as read")
	for i, key := range keys {
		want, declared := wanted[key]
		got, there := read[key]
		textRow(p, rowHigh*float64(i), [3]string{sign(declared && there && want == got) + plain.Cut(key, 62), quoted(want, declared, "not named"), quoted(got, there, "not there")})
	}
	return picture{
		Title: "Rows", SVG: p.HTML(),
		Caption: "As read at the end of the window. What is read and not named matters only where the promise allows no further rows.",
	}, true
}

func sign(good bool) string {
	if good {
		return "✓ "
	}
	return "✗ "
}

func quoted(text string, there bool, missing string) string {
	if !there {
		return missing
	}
	return "“" + plain.Cut(text, 32) + "”"
}

func textRow(p *draw.Picture, y float64, words [3]string) {
	p.Text("label", draw.Point{X: 0, Y: y + 16}, words[0])
	p.Text("small", draw.Point{X: 14, Y: y + 34}, "declared "+words[1])
	p.Text("small", draw.Point{X: width / 2, Y: y + 34}, "read "+words[2])
	p.Line("grid", draw.Point{X: 0, Y: y + 44}, draw.Point{X: width, Y: y + 44})
}

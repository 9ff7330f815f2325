package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// rowsDrawn bounds the targets of one picture.
const rowsDrawn = 24

// answers draws how the requests to each target ended.
func answers(s subject) (picture, bool) {
	var lines []answerLine
	drawn, left := 0, 0
	for i, counts := range s.seen.Targets {
		name := s.stage.Load.Targets[i].Name
		if counts.Total() == 0 || len(s.params.Targets) > 0 && !slices.Contains(s.params.Targets, name) {
			continue
		}
		if drawn++; drawn > rowsDrawn {
			left++
			continue
		}
		lines = append(lines, answerLine{head: s.answerHead(name, counts)})
		for _, key := range counts.Keys() {
			lines = append(lines, answerLine{barRow{middle(key, 60), fmt.Sprintf("%d · %s", counts.Of(key), percent(counts.Of(key), counts.Total())), counts.Of(key), counts.Total()}, ""})
		}
	}
	if len(lines) == 0 {
		return picture{}, false
	}
	p := draw.New(width, 32*float64(len(lines))+4, "answers by kind of request")
	for i, l := range lines {
		if l.head != "" {
			p.Text("head", draw.Point{X: 0, Y: 32*float64(i) + 22}, l.head)
			continue
		}
		bar(p, 32*float64(i)-2, l.barRow)
	}
	caption := "How requests ended, by what was asked: the status, and who answered or where to go instead."
	if left > 0 {
		caption += fmt.Sprintf(" %d more kinds of request are in the record.", left)
	}
	return picture{Title: "Answers", Caption: caption, SVG: p.HTML()}, true
}

// middle shortens a text in its middle: addresses and pods differ at their ends.
func middle(text string, n int) string {
	runes := []rune(plain.Line(text))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n/3]) + "…" + string(runes[len(runes)-(n-n/3-1):])
}

// answerLine is the head of a target, or one of its answers.
type answerLine struct {
	barRow

	head string
}

// answerHead names a target, with what the verdict says of it.
func (s subject) answerHead(name string, counts *digest.Counts) string {
	said, ok := s.figure("row " + name)
	if !ok {
		said, ok = s.figure("row all")
	}
	sign := "✓ "
	switch {
	case !ok:
		sign = ""
	case !strings.HasSuffix(said, " as wanted"):
		sign = "✗ "
	}
	return sign + plain.Cut(name, 40) + fmt.Sprintf(" (%d)", counts.Total())
}

// carriers draws connections by the waypoint replica that they went through.
func carriers(s subject) (picture, bool) {
	keys := s.seen.Carriers.Keys()
	if len(keys) == 0 {
		return picture{}, false
	}
	slices.Sort(keys)
	total := s.seen.Carriers.Total()
	p := draw.New(width, 34*float64(len(keys))+6, "connections by waypoint replica")
	for i, key := range keys {
		n := s.seen.Carriers.Of(key)
		bar(p, 34*float64(i), barRow{plain.Cut(key, 56), fmt.Sprintf("%d · %s", n, percent(n, total)), n, total})
	}
	return picture{
		Title: "Connections by waypoint replica", SVG: p.HTML(),
		Caption: "By the peer that the answering pod saw at the first request of each connection. " + sentence(s.verdict.Allowed),
	}, true
}

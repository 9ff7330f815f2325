package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/draw"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// pods draws connections by the pod that answered their first request.
func pods(s subject) (picture, bool) {
	keys := s.seen.Pods.Keys()
	if len(keys) == 0 {
		return picture{}, false
	}
	total := s.seen.Pods.Total()
	p := draw.New(width, 34*float64(len(keys))+6, "connections by pod")
	for i, key := range keys {
		n := s.seen.Pods.Of(key)
		bar(p, 34*float64(i), barRow{plain.Cut(key, 60), fmt.Sprintf("%d · %.1f %%", n, 100*float64(n)/float64(total)), n, total})
	}
	return picture{Title: "Connections by pod", SVG: p.HTML(), Caption: "By the pod that answered the first request of each connection."}, true
}

type barRow struct {
	label, value string
	n, of        int
}

func bar(p *draw.Picture, y float64, row barRow) {
	p.Text("label", draw.Point{X: 0, Y: y + 13}, row.label)
	p.Text("value end", draw.Point{X: width, Y: y + 13}, row.value)
	p.Rect("trough", draw.Point{X: 0, Y: y + 18}, width, 8)
	if row.n > 0 {
		p.Rect("bar", draw.Point{X: 0, Y: y + 18}, max(2, float64(row.n)/float64(max(1, row.of))*width), 8)
	}
}

// copies draws how often requests arrived at each receiver.
func copies(s subject) (picture, bool) {
	if len(s.seen.Copies) == 0 {
		return picture{}, false
	}
	blocks, height := make([][]barRow, len(s.seen.Copies)), 0.0
	for i, c := range s.seen.Copies {
		blocks[i] = arrivals(c.Histogram(s.about))
		height += 30 + 34*float64(len(blocks[i]))
	}
	p := draw.New(width, height, "arrivals of each request by receiver")
	y := 0.0
	for i, c := range s.seen.Copies {
		p.Text("head", draw.Point{X: 0, Y: y + 16}, receiver(c))
		y += 24
		for _, row := range blocks[i] {
			bar(p, y, row)
			y += 34
		}
		y += 6
	}
	return picture{
		Title: "Arrivals by request id", SVG: p.HTML(),
		Caption: "Counted in the ledgers of the receiving pods, for every planned request that the promise is about. A bar that is not empty is never thinner than two pixels.",
	}, true
}

// arrivals are the rows of a histogram: never, once and twice always, more often
// where there was one.
func arrivals(h [digest.MostArrivals + 1]int) []barRow {
	total := 0
	for _, n := range h {
		total += n
	}
	var rows []barRow
	for k, n := range h {
		word := [...]string{"never arrived", "arrived once", "arrived twice"}[min(k, 2)]
		switch {
		case k > 2 && n == 0:
			continue
		case k == digest.MostArrivals:
			word = fmt.Sprintf("arrived %d times or more", k)
		case k > 2:
			word = fmt.Sprintf("arrived %d times", k)
		}
		rows = append(rows, barRow{word, fmt.Sprintf("%d of %d", n, total), n, total})
	}
	return rows
}

// about tells whether the promise reads a request, by its number: targets take
// turns.
func (s subject) about(seq int) bool {
	targets := s.stage.Load.Targets
	return len(s.params.Targets) == 0 || len(targets) == 0 || slices.Contains(s.params.Targets, targets[seq%len(targets)].Name)
}

// others warns that a picture shows more requests than the promise reads.
func (s subject) others() string {
	if len(s.params.Targets) == 0 || len(s.params.Targets) == len(s.stage.Load.Targets) {
		return ""
	}
	return " All requests of the stage are drawn, not only those to " + plain.Cut(strings.Join(s.params.Targets, ", "), 60) + "."
}

func receiver(c *digest.Copies) string {
	name := plain.Cut(strings.TrimSpace(c.Service+" "+c.Version), 40)
	if c.Log {
		name += ", by its log"
	}
	if c.Beyond > 0 {
		name += fmt.Sprintf(", and %d arrivals of requests that were not planned", c.Beyond)
	}
	return name
}

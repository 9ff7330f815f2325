package html

import (
	"fmt"
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
	words := [4]string{"never arrived", "arrived once", "arrived twice", "arrived 3 times or more"}
	p := draw.New(width, 166*float64(len(s.seen.Copies)), "arrivals of each request by receiver")
	for i, c := range s.seen.Copies {
		y := 166 * float64(i)
		p.Text("head", draw.Point{X: 0, Y: y + 16}, receiver(c))
		h := c.Histogram()
		total := h[0] + h[1] + h[2] + h[3]
		for k, word := range words {
			bar(p, y+24+34*float64(k), barRow{word, fmt.Sprintf("%d of %d", h[k], total), h[k], total})
		}
	}
	return picture{
		Title: "Arrivals by request id", SVG: p.HTML(),
		Caption: "Counted in the ledgers of the receiving pods, for every planned request. A bar that is not empty is never thinner than two pixels.",
	}, true
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

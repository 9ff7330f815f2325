package browser

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/reports/trend"
)

// openTrend opens the page of a history of thirty nights: one measurement that
// shifted, eleven that did not, and a promise that flips.
func openTrend(t *testing.T) *reader {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	h := trend.History{Runs: 30, Flakes: []trend.Flake{{Promise: "task7/mirror-100/exactly-once", Runs: 30, Flips: []trend.Flip{
		{From: "r1103-031702-8d1c", To: "r1104-031701-77aa", Was: "held", Is: "violated", Version: "Istio 1.31.4, Kubernetes 1.36.2, node proxy ztunnel 1.31.4"},
	}}}}
	for i := range 12 {
		s := trend.Series{Title: fmt.Sprintf("p99 of the latency of task%d/scenario/applied on kind", i), Unit: "ms"}
		for run := range h.Runs {
			value := 20 + 3*rng.NormFloat64()
			if i == 3 && run >= 18 {
				value += 15
			}
			s.Points = append(s.Points, trend.Point{
				Run: fmt.Sprintf("r11%02d-031702", run+1), At: time.Date(2026, 11, run+1, 3, 17, 2, 0, time.UTC), Value: value, Version: "Istio 1.31.4",
			})
		}
		if i == 3 {
			s.Shifts = []trend.Shift{{At: 18, P: 0.005}}
		}
		h.Series = append(h.Series, s)
	}
	var page bytes.Buffer
	require.NoError(t, trend.Render(&page, h))
	return show(t, page.Bytes(), desk, deskHeight)
}

func TestTrendPage(t *testing.T) {
	r := openTrend(t)
	assert.Equal(t, "wayproof: history", ask[string](r, `document.title`))
	assert.Equal(t, 12, ask[int](r, `document.querySelectorAll("figure").length`))
	assert.Equal(t, 1, ask[int](r, `[...document.querySelectorAll("figure")].filter(f => f.checkVisibility()).length`), "what shifted is in sight, the rest is folded")
	assert.Zero(t, ask[int](r, `document.querySelectorAll("svg [x=NaN], svg [y=NaN], svg [d*=NaN]").length`))
	r.screenshot("trend-light")
	r.do(chromedp.Click(chromedp.CSS("details.figures summary")))
	assert.Equal(t, 12, ask[int](r, `[...document.querySelectorAll("figure")].filter(f => f.checkVisibility()).length`))
	for _, scheme := range []string{"light", "dark"} {
		r.prefer(scheme)
		assert.Empty(t, ask[[]string](r, contrast), scheme)
	}
	r.screenshot("trend-dark")
	r.quiet()
}

func TestTrendPageOnAPhoneAndOnPaper(t *testing.T) {
	r := openTrend(t)
	r.phone()
	assert.LessOrEqual(t, ask[int](r, `document.documentElement.scrollWidth`), phone, "nothing sticks out")
	r.screenshot("trend-phone")
	pdf, err := chromedp.Run(r.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	require.NoError(t, err)
	assert.Greater(t, strings.Count(string(pdf), "/Type /Page\n"), 1, "folded measurements are printed too")
	r.quiet()
}

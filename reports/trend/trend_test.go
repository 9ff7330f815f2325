package trend_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/reports/trend"
)

func render(t *testing.T, h trend.History) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, trend.Render(&b, h))
	return b.String()
}

func sample() trend.History {
	s := trend.Series{Title: "p99 of the latency of task4/split/applied", Unit: "ms", Shifts: []trend.Shift{{At: 6, P: 0.005}}}
	for i := range 12 {
		v := 10.0
		if i >= 6 {
			v = 20
		}
		s.Points = append(s.Points, trend.Point{Run: fmt.Sprintf("r%d", i), At: time.Date(2026, 11, 1+i, 0, 0, 0, 0, time.UTC), Value: v, Version: "Istio 1.31"})
	}
	return trend.History{Runs: 12, Series: []trend.Series{s}, Flakes: []trend.Flake{{
		Promise: "task7/mirror", Runs: 12, Flips: []trend.Flip{{From: "r1", To: "r2", Was: "held", Is: "violated", Version: "Istio 1.31"}},
	}}}
}

func TestThePageSaysWhatShifted(t *testing.T) {
	page := render(t, sample())
	for _, want := range []string{
		"12 runs, 1 measurement: 1 shift, and 1 promise changed a verdict without a change of versions.",
		"Shift at run r6 of 2026-11-07 (Istio 1.31): 10 ms → 20 ms, p = 0.005",
		"task7/mirror", "r1: held", "r2: violated", "<svg",
	} {
		assert.Contains(t, page, want)
	}
	assert.Equal(t, page, render(t, sample()), "the same bytes")
}

func TestAnEmptyHistory(t *testing.T) {
	page := render(t, trend.History{})
	assert.Contains(t, page, "No run has measured anything yet")
	assert.Contains(t, page, "0 runs")
}

// TestHostileStrings draws what a cluster or an editor of the file could write.
func TestHostileStrings(t *testing.T) {
	const bad = `</style><script>alert(1)</script>" onload="x`
	h := sample()
	h.Series[0].Title, h.Series[0].Unit, h.Series[0].Points[3].Run = bad, bad, bad
	h.Series[0].Points[6].Run, h.Series[0].Points[6].Version = bad, strings.Repeat(bad, 10_000)
	h.Series[0].Shifts = append(h.Series[0].Shifts, trend.Shift{At: -1}, trend.Shift{At: 9_999})
	h.Series[0].Points[2].Value, h.Series[0].Points[1].Value = math.Inf(1), math.NaN()
	h.Flakes[0].Promise, h.Flakes[0].Flips[0].From, h.Damaged = bad, bad, []string{bad}
	page := render(t, h)
	assert.NotContains(t, page, "<script")
	assert.NotContains(t, page, `" onload="`)
	assert.Less(t, len(page), 100_000)
}

func TestNoRequestLeavesThePage(t *testing.T) {
	page := render(t, sample())
	assert.Contains(t, page, "default-src 'none'")
	assert.NotContains(t, page, "http://")
	assert.NotContains(t, page, "https://")
}

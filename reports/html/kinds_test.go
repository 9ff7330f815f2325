package html

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/sample"
)

// TestEveryKindHasItsPicture draws a promise of every kind of claim there is, and
// wants first what the kind is about.
func TestEveryKindHasItsPicture(t *testing.T) {
	wants := map[string]string{
		claim.KindSplit: "Shares of answers", claim.KindIndependence: "Block by block", claim.KindShare: "Share of requests",
		claim.KindEvery: "Answers", claim.KindTable: "Answers", claim.KindMirror: "Arrivals by request id", claim.KindAttempts: "Arrivals by request id",
		claim.KindLatency: "Latency by intended time", claim.KindShift: "Latency without and with", claim.KindBalance: "Connections by pod",
		claim.KindServing: "Connections by waypoint replica", claim.KindSeries: "Cluster over time", claim.KindRows: "Rows",
		claim.KindBound: "Good and failed requests", claim.KindRecovery: "Good and failed requests", claim.KindTraces: "Sampled and exported",
	}
	run := sample.New(1724, 1)
	d, err := digest.Read(t.Context(), run)
	require.NoError(t, err)
	drawn := map[string][]string{}
	for _, p := range run.Run().Plan.Promises {
		for _, v := range run.Run().Verdicts {
			if v.ID == p.ID && len(p.Stages) > 0 {
				for _, one := range newPromise(run.Run(), d, v, "").Pictures {
					drawn[p.Kind] = append(drawn[p.Kind], one.Title)
					assert.NotContains(t, string(one.SVG), "NaN", "%s: %s", p.ID, one.Title)
				}
			}
		}
	}
	for kind, want := range wants {
		require.NotEmpty(t, drawn[kind], kind)
		title, _, _ := strings.Cut(drawn[kind][0], " · ")
		assert.Equal(t, want, title, kind)
		assert.Contains(t, Kinds(), kind)
	}
	assert.Len(t, wants, len(Kinds()))
}

// TestPicturesSayWhatTheRecordHolds compares words in pictures with what the
// sample was drawn with.
func TestPicturesSayWhatTheRecordHolds(t *testing.T) {
	run := sample.New(1724, 1)
	var b bytes.Buffer
	require.NoError(t, Render(t.Context(), &b, run, ""))
	page := b.String()
	for _, want := range []string{
		"✗ sampled, and not exported", "never above 5", "reaches at least 3", ">due<", "within the budget",
		"✗ travel-agency/hotels", "read “none”", "✓ travel-agency/cars", "✓ cars (1200)", "200 by travels v1", "302 to http://cars:8000/xyz/bar",
	} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, card(t, page, "task4/split-90-10-independence"), "not declared", "independence declares no shares")
	assert.Regexp(t, `status 418: 9\.\d % \(\d+ of 1200\)|status 418: 1\d\.\d % \(\d+ of 1200\)`, card(t, page, "faults/abort-10"))
}

// card cuts one promise out of a page.
func card(t *testing.T, page, id string) string {
	t.Helper()
	at := strings.Index(page, `<span class="id">`+id+"<")
	if at < 0 {
		at = strings.Index(page, `<span class="id">`+id+" ")
	}
	require.Positive(t, at, id)
	end := regexp.MustCompile(`</details>\s*(<details class="promise|</div>)`).FindStringIndex(page[at:])
	require.NotNil(t, end)
	return page[at : at+end[0]]
}

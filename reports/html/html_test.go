package html_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/html"
	"github.com/wayproof/wayproof/reports/internal/sample"
)

func render(t *testing.T, source record.Source) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, html.Render(context.Background(), &b, source, ""))
	return b.String()
}

func TestSameRecordSamePage(t *testing.T) {
	first := render(t, sample.New(7, 1))
	for range 3 {
		require.Equal(t, first, render(t, sample.New(7, 1)))
	}
}

func TestPageSaysWhatTheVerdictsSay(t *testing.T) {
	source := sample.New(1724, 1)
	page := render(t, source)
	assert.Contains(t, page, "12 of 20 promises held, 4 were violated")
	assert.Contains(t, page, "Node proxy: stand-in.")
	assert.Contains(t, page, "wayproof replay artifacts/"+source.Run().ID+" --promise task7/mirror-100<")
	assert.Contains(t, page, "wayproof run --seed 1724 --promise task7/mirror-100<")
	for _, v := range source.Run().Verdicts {
		assert.Contains(t, page, ">"+v.ID)
	}
	for _, want := range []string{
		"Shares of answers", "Sequential path", "Arrivals by request id", "Latency by intended time",
		"Cluster over time", "Failed requests by class", "Connections by pod", "Who called whom",
		"never arrived", "2 of 6900", "never above 5", "p99 ≤ 440 ms", `href="./evidence/task4-split-70-30/route.yaml"`,
	} {
		assert.Contains(t, page, want)
	}
}

func TestOnlyOwnScriptAndStyleMayRun(t *testing.T) {
	page := render(t, sample.New(1, 1))
	for _, tag := range []string{"script", "style"} {
		found := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(page, -1)
		require.Len(t, found, 1)
		sum := sha256.Sum256([]byte(found[0][1]))
		assert.Contains(t, page, tag+"-src &#39;sha256-"+strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;")+"&#39;")
	}
	for _, bad := range []string{" src=", "@import", " style=", "url(", "<iframe", "<object"} {
		assert.NotContains(t, page, bad)
	}
	for _, link := range regexp.MustCompile(`<link [^>]*href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		assert.Equal(t, "data:,", link[1])
	}
}

// TestHostileStringsStayText looks for what a payload would become if one
// context were escaped wrongly; the browser test runs the same page.
func TestHostileStringsStayText(t *testing.T) {
	hostile, err := sample.NewHostile(1)
	require.NoError(t, err)
	page := render(t, hostile)
	assert.Equal(t, 1, strings.Count(page, "<script>"))
	for _, bad := range []string{"<img", "<svg onload", "<x:y>", "ontoggle=window.pwned=1>", "\x00", "\x1b", "\u202e"} {
		assert.NotContains(t, page, bad, "page contains %q", bad)
	}
	for _, link := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		assert.Regexp(t, `^(#|\./|data:,$|https?://)`, link[1])
		assert.NotContains(t, link[1], "..")
	}
	assert.Contains(t, page, `href="./evidence/a%20b%23c%3Fd.json"`)
}

func TestRunsThatHaveLittle(t *testing.T) {
	for name, run := range map[string]record.Run{
		"empty": {},
		"a plan and nothing else": {Plan: record.Plan{Promises: []record.Promise{
			{ID: "task4/split", Task: "task4", Kind: "split", Stages: []string{"gone"}, Params: []byte("not JSON")},
		}}},
		"a stage without requests": {
			Stages: []record.Stage{{Name: "s", Spec: "s"}},
			Plan:   record.Plan{Promises: []record.Promise{{ID: "a", Stages: []string{"s"}, Kind: "latency"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			page := render(t, &record.Memory{Record: run})
			assert.Contains(t, page, "inconclusive")
			assert.True(t, strings.HasSuffix(page, "</html>\n"))
		})
	}
}

type cut struct{ record.Source }

func (c cut) Walk(context.Context, record.Sink) error {
	return &record.Incomplete{Stages: []int{0}, Cause: context.DeadlineExceeded}
}

func TestBrokenRecordIsNamed(t *testing.T) {
	assert.Contains(t, render(t, cut{sample.New(1, 1)}), "The record is not whole.")
}

// TestMillionRequestsMakeASmallPage renders a million requests: the page must be
// that of twenty thousand in size, and memory must not grow with requests but by
// the bytes that copies need.
func TestMillionRequestsMakeASmallPage(t *testing.T) {
	if testing.Short() {
		t.Skip("draws a million requests")
	}
	small := len(render(t, sample.New(1, 1)))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	source := &peak{Source: sample.New(1, 41)}
	page := render(t, source)
	runtime.ReadMemStats(&after)
	assert.Greater(t, source.seen, 1_000_000)
	assert.Less(t, len(page), small*5/4)
	assert.Less(t, source.most-before.HeapAlloc, uint64(32<<20))
}

// peak watches the heap while the record is walked.
type peak struct {
	record.Source
	seen int
	most uint64
}

func (p *peak) Walk(ctx context.Context, sink record.Sink) error {
	return p.Source.Walk(ctx, record.Handlers{
		OnObservation: func(o *record.Observation) error {
			if p.seen++; p.seen%100_000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				p.most = max(p.most, m.HeapAlloc)
			}
			return sink.Observation(o)
		},
		OnArrival: sink.Arrival, OnSpan: sink.Span, OnSample: sink.Sample,
	})
}

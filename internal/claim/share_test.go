package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

func sharePromise(t testing.TB, perMille, delta int, of Predicate) record.Promise {
	t.Helper()
	return plan(t, record.Promise{Kind: KindShare, Delta: delta, Params: Params(ShareParams{Of: of, PerMille: perMille, Label: "it"})})
}

// marked changes a share of requests, spread without pattern.
func marked(perMille int, change func(*record.Observation)) func(*record.Observation) {
	pick := picker(uint64(perMille)+77, perMille)
	return func(o *record.Observation) {
		probe := *o
		if pick(&probe); probe.Version == o.Version {
			change(o)
		}
	}
}

func TestSharesOfWhatTheClientSees(t *testing.T) {
	abort := func(o *record.Observation) { o.Status = 418 }
	delay := func(o *record.Observation) { o.Done += 400 * time.Millisecond }
	for name, c := range map[string]struct {
		of     Predicate
		change func(*record.Observation)
		share  int
		want   record.Outcome
	}{
		"abort 10":      {Predicate{Status: 418}, abort, 100, record.Held},
		"abort 12":      {Predicate{Status: 418}, abort, 120, record.Violated},
		"abort 8":       {Predicate{Status: 418}, abort, 80, record.Violated},
		"no abort":      {Predicate{Status: 418}, abort, 0, record.Violated},
		"delay 10":      {Predicate{SlowerMs: 395}, delay, 100, record.Held},
		"delay of 300":  {Predicate{SlowerMs: 395}, func(o *record.Observation) { o.Done += 300 * time.Millisecond }, 100, record.Violated},
		"other version": {Predicate{Version: "v2", Class: "ok", Pod: "p", FasterMs: 100}, func(o *record.Observation) { o.Version, o.Pod = "v2", "p" }, 100, record.Held},
	} {
		p := sharePromise(t, 100, 20, c.of)
		s := new(scene)
		s.addStage("s", p.N, marked(c.share, c.change))
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
	}
}

func TestSharesOfNoneAndAll(t *testing.T) {
	for perMille, odd := range map[int]int{0: 418, 1000: 200} {
		p := sharePromise(t, perMille, 0, Predicate{Status: 418})
		assert.Equal(t, 6905, p.N)
		assert.Zero(t, p.Alpha, "no false alarm is possible")
		usual := map[int]int{0: 200, 1000: 418}[perMille]
		build := func(hits, spoilt int) record.Verdict {
			s := new(scene)
			s.addStage("s", hits, func(o *record.Observation) {
				if o.Status = usual; o.Seq == spoilt {
					o.Status = odd
				}
			})
			return s.judge(t, p)
		}
		assert.Equal(t, record.Held, build(p.N, -1).Verdict)
		assert.Equal(t, record.Inconclusive, build(p.N-1, -1).Verdict)
		v := build(p.N, 4000)
		assert.Equal(t, record.Violated, v.Verdict)
		assert.Contains(t, v.FirstOdd, "#4000 ")
	}
}

func TestSharesOfWhatIsCollected(t *testing.T) {
	sampled := sharePromise(t, 500, 50, Predicate{Sampled: true})
	exported := sharePromise(t, 500, 50, Predicate{Exported: true})
	mirrored := sharePromise(t, 500, 50, Predicate{Mirrored: &Selector{Service: "cars-v2"}})
	require.Equal(t, 6655, sampled.N)
	build := func(share int) *scene {
		s := new(scene)
		pick := marked(share, func(o *record.Observation) { o.Bytes = 1 })
		s.addStage("s", sampled.N, pick)
		for _, o := range s.observations {
			s.arrive(0, o.Seq, "cars", "v1").Traceparent = traceparent(o.Bytes == 1)
			if o.Bytes == 1 {
				s.spans = append(s.spans, record.Span{Seq: o.Seq, TraceID: "t", SpanID: "1"})
				s.arrive(0, o.Seq, "cars-v2", "v2").Traceparent = traceparent(true)
			}
		}
		return s
	}
	for share, want := range map[int]record.Outcome{500: record.Held, 400: record.Violated, 0: record.Violated, 1000: record.Violated} {
		s := build(share)
		for _, p := range []record.Promise{sampled, exported, mirrored} {
			v := s.judge(t, p)
			assert.Equal(t, want, v.Verdict, "%d %s: %s", share, p.Params, v.Detail)
		}
	}
	blind := build(500)
	for i := range blind.arrivals[:2] { // of the request and of its copy, if it has one
		blind.arrivals[i].Traceparent = ""
	}
	v := blind.judge(t, sampled)
	assert.Equal(t, record.Inconclusive, v.Verdict)
	assert.Contains(t, v.Reason, "without a trace context")
	assert.Equal(t, record.Held, blind.judge(t, exported).Verdict)
}

func TestTraceFlags(t *testing.T) {
	for text, want := range map[string][2]bool{
		traceparent(true): {true, true}, traceparent(false): {false, true}, "": {}, "garbage": {}, "00-1-2-01": {},
		"00-" + traceID + "-b7ad6b7169203331-03": {true, true}, "00-" + traceID + "-b7ad6b7169203331-0x": {},
	} {
		sampled, known := traceFlag(text)
		assert.Equal(t, want, [2]bool{sampled, known}, text)
	}
}

func TestTraces(t *testing.T) {
	c := soundCases(t)[KindTraces]
	for name, spoil := range map[string]struct {
		change  func(*scene)
		want    record.Outcome
		mention string
	}{
		"span of a request lost": {func(s *scene) { s.spans = s.spans[2:] }, record.Violated, "sampled requests without spans"},
		"root span lost":         {func(s *scene) { s.spans[0].ParentID = "9" }, record.Violated, "exactly one root"},
		"unsampled but exported": {func(s *scene) {
			s.spans[0].Seq, s.spans[1].Seq = 1, 1
			s.spans = append(s.spans, record.Span{Seq: 0, TraceID: "q", SpanID: "1", Name: "cars.x"})
		}, record.Violated, "not sampled"},
		"strange name":     {func(s *scene) { s.spans[0].Name = "hotels" }, record.Violated, `span name "hotels"`},
		"no trace context": {func(s *scene) { s.arrivals[3].Traceparent = "" }, record.Inconclusive, "without a trace context"},
		"span of another request": {func(s *scene) {
			s.spans = append(s.spans, record.Span{Seq: -1, TraceID: "z", SpanID: "1", Name: "cars.x"})
		}, record.Held, ""},
	} {
		s := c.scene.clone()
		spoil.change(s)
		v := s.judge(t, c.promise)
		assert.Equal(t, spoil.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Contains(t, v.Detail, spoil.mention, name)
	}
}

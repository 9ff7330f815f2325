package claim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

func TestTheSizesOfTheSuites(t *testing.T) {
	for name, c := range map[string]struct {
		promise record.Promise
		n       int
	}{
		"split 70/30":    {record.Promise{Kind: KindSplit, Params: Params(split7030)}, 5837},
		"sampling 50 %":  {record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Sampled: true}, PerMille: 500})}, 6655},
		"abort 10 %":     {record.Promise{Kind: KindShare, Delta: 20, Params: Params(ShareParams{Of: Predicate{Status: 500}, PerMille: 100})}, 16263},
		"mirror":         {record.Promise{Kind: KindMirror, Params: Params(mirrorParams(1000, ""))}, 6905},
		"failing mirror": {record.Promise{Kind: KindEvery, Beta: .05, Params: Params(EveryParams{})}, 2995},
		"L4":             {record.Promise{Kind: KindBalance, Params: Params(BalanceParams{Pods: 2})}, 6655},
		"p99":            {record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 990, AtMostMs: 5}}})}, 2407},
		"one per mille":  {record.Promise{Kind: KindBound, Params: Params(BoundParams{BudgetPPM: 1000})}, 6905},
	} {
		assert.Equal(t, c.n, plan(t, c.promise).N, name)
	}
}

func TestTheBudgetIsDivided(t *testing.T) {
	every := record.Promise{ID: "e", Kind: KindEvery, Params: Params(EveryParams{})}
	share := record.Promise{ID: "s", Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Status: 1}, PerMille: 500})}
	own := share
	own.Alpha = 1e-4
	planned, err := Plan([]record.Promise{every, share, own}, 1e-3)
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 1e-6, 1e-4}, []float64{planned[0].Alpha, planned[1].Alpha, planned[2].Alpha})
	planned, err = Plan([]record.Promise{share, share, own}, 1.0001e-4)
	require.NoError(t, err)
	assert.InEpsilon(t, 5e-9, planned[0].Alpha, 1e-3)
	_, err = Plan([]record.Promise{own, own}, 1e-4)
	require.ErrorContains(t, err, "more than the false-alarm budget")
	again, err := Plan(planned, 1e-3)
	require.NoError(t, err)
	assert.Equal(t, planned, again, "a plan of a plan is the plan")
	own.N = 5
	_, err = Plan([]record.Promise{own}, 1e-3)
	require.ErrorContains(t, err, "n is 5, its errors need")
	_, err = Plan([]record.Promise{{ID: "x", Kind: "faith"}}, 1e-3)
	require.ErrorContains(t, err, `no claim of kind "faith"`)
	for kind := range kinds() {
		_, err = Plan([]record.Promise{{ID: "x", Kind: kind, Params: []byte("{")}}, 1e-3)
		if k := kinds()[kind]; k.spends {
			require.Error(t, err, kind)
		}
	}
}

func TestAWatcherStopsTheLoad(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindSplit, Params: Params(split7030)})
	s := new(scene)
	s.addLedger(s.addStage("s", p.N, picker(30, 700)))
	w, err := Watch(&s.run.Stages[0], []record.Promise{p})
	require.NoError(t, err)
	// Answers of v2 come late; in completion order the test would be fooled.
	var late []record.Observation
	stopped, sent := 0, 0
	for _, o := range s.observations {
		if late = append(late, o); o.Version == "v1" || len(late) > 1 {
			for _, done := range late[:len(late)-1] {
				sent++
				if w.Observe(&done) && stopped == 0 {
					stopped = sent
				}
			}
			late = late[len(late)-1:]
		}
		if stopped > 0 {
			break
		}
	}
	require.Positive(t, stopped)
	assert.Less(t, stopped, 4000)
	assert.True(t, w.Decided())
	cut := s.clone()
	cut.observations = cut.observations[:stopped]
	h := &cut.run.Stages[0].Health
	h.Sent, h.Completed, h.Stopped = stopped, stopped, true
	v := cut.judge(t, p)
	assert.Equal(t, record.Held, v.Verdict, "the watcher and the judge agree: %s", v.Detail)
	assert.Equal(t, s.judge(t, p).N, v.N)
}

func TestAWatcherWaitsForOthers(t *testing.T) {
	s := new(scene)
	s.addStage("s", 7000, picker(31, 700))
	split := plan(t, record.Promise{Kind: KindSplit, Params: Params(split7030)})
	every := plan(t, record.Promise{Kind: KindEvery, Params: Params(EveryParams{})})
	sampled := plan(t, record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Sampled: true}, PerMille: 500})})
	version := plan(t, record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Version: "v1"}, PerMille: 700})})
	for want, promises := range map[int][]record.Promise{6905: {split, every}, 6655: {sampled, version}} {
		w, err := Watch(&s.run.Stages[0], promises)
		require.NoError(t, err)
		n := 0
		for !w.Observe(&s.observations[n]) {
			assert.False(t, w.Decided())
			n++
		}
		assert.Equal(t, want, n+1)
	}
	w, err := Watch(&s.run.Stages[0], []record.Promise{every})
	require.NoError(t, err)
	for range 7000 {
		assert.False(t, w.Observe(&s.observations[0]), "one request is one request")
	}
	assert.False(t, w.Observe(&record.Observation{Seq: 1 << 40}))
	_, err = Watch(&s.run.Stages[0], []record.Promise{{ID: "x", Kind: "faith"}})
	require.Error(t, err)
	_, err = Watch(&s.run.Stages[0], []record.Promise{{ID: "x", Kind: KindSplit}})
	require.Error(t, err)
}

func TestAFirstWrongRequestEndsTheLoad(t *testing.T) {
	s := new(scene)
	s.addStage("s", 6000, func(o *record.Observation) { o.Version = "v9" })
	w, err := Watch(&s.run.Stages[0], []record.Promise{plan(t, record.Promise{Kind: KindSplit, Params: Params(split7030)})})
	require.NoError(t, err)
	assert.True(t, w.Observe(&s.observations[0]))
}

const listed = `
deviations:
- claim: task/every
  observed: status 503, want 200
  reason: istio answers 503 here
  upstream: https://github.com/istio/istio/issues/1
  istio: {from: "1.30", before: "1.32"}
  expires: 2026-12-31
`

func TestKnownDeviations(t *testing.T) {
	list, err := ParseDeviations([]byte(listed))
	require.NoError(t, err)
	day := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	v := record.Verdict{ID: "task/every", Verdict: record.Violated, Blame: record.Mesh, Signature: "status 503, want 200"}
	other, gone, unsure, harness := v, v, v, v
	other.Signature = "status 502, want 200"
	gone.Verdict, gone.Blame, gone.Signature = record.Held, "", ""
	unsure.Verdict, unsure.Blame, unsure.Signature = record.Inconclusive, record.Harness, ""
	harness.Blame = record.Harness
	for name, c := range map[string]struct {
		v     record.Verdict
		istio string
		day   time.Time
		want  record.Outcome
		stale string
	}{
		"exactly it":          {v, "1.31.4", day, record.ViolatedKnown, ""},
		"on its last day":     {v, "1.31.4", time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC), record.ViolatedKnown, ""},
		"expired":             {v, "1.31.4", time.Date(2027, 1, 1, 0, 0, 1, 0, time.UTC), record.Violated, "expired on 2026-12-31"},
		"another deviation":   {other, "1.31.4", day, record.Violated, `no longer reproduces: seen is "status 502, want 200"`},
		"gone":                {gone, "1.31.4", day, record.Held, "no longer reproduces"},
		"could not be said":   {unsure, "1.31.4", day, record.Inconclusive, ""},
		"version before":      {v, "1.29.9", day, record.Violated, ""},
		"version after":       {v, "1.32.0", day, record.Violated, ""},
		"first version":       {v, "v1.30.0-rc.1+x", day, record.ViolatedKnown, ""},
		"no version":          {v, "master", day, record.Violated, ""},
		"the harness's fault": {harness, "1.31.4", day, record.Violated, "no longer reproduces: the blame is the harness's"},
	} {
		got := list.Apply([]record.Verdict{{ID: "other", Verdict: record.Held}, c.v}, record.Environment{Istio: c.istio}, c.day)
		assert.Equal(t, c.want, got[1].Verdict, name)
		if c.stale == "" {
			assert.Len(t, got, 2, name)
			continue
		}
		require.Len(t, got, 3, name)
		assert.Equal(t, record.Violated, got[2].Verdict, name)
		assert.Equal(t, record.Harness, got[2].Blame, name)
		assert.Contains(t, got[2].Detail, c.stale, name)
	}
	assert.Equal(t, record.Violated, v.Verdict, "verdicts are not changed in place")
	assert.Empty(t, list.Apply(nil, record.Environment{Istio: "1.31.4"}, day), "a claim that did not run says nothing")
}

func TestKnownDeviationsOfShares(t *testing.T) {
	list := Deviations{{Claim: "c", Observed: "v1 is too low", Figures: map[string]Interval{"share v1": {.48, .52}}, Expires: "2027-01-01", Upstream: "https://x"}}
	day := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for share, want := range map[string]record.Outcome{"0.5": record.ViolatedKnown, "0.52": record.ViolatedKnown, "0.53": record.Violated, "none": record.Violated} {
		v := record.Verdict{ID: "c", Verdict: record.Violated, Blame: record.Mesh, Signature: "v1 is too low", Figures: []record.Figure{{Name: "share v1", Value: share}}}
		got := list.Apply([]record.Verdict{v}, record.Environment{}, day)
		assert.Equal(t, want, got[0].Verdict, share)
		if want == record.Violated {
			assert.Contains(t, got[1].Detail, `share v1 is "`+share+`", listed is 0.48 to 0.52`)
		}
	}
}

func TestBadListsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"not YAML":       "deviations: [",
		"unknown key":    strings.Replace(listed, "reason:", "because:", 1),
		"no reason":      strings.Replace(listed, "istio answers 503 here", `""`, 1),
		"no link":        strings.Replace(listed, "https://", "see ", 1),
		"no expiry":      strings.Replace(listed, "2026-12-31", "soon", 1),
		"bad version":    strings.Replace(listed, `"1.30"`, `"new"`, 1),
		"long version":   strings.Replace(listed, `"1.30"`, `"1.2.3.4"`, 1),
		"no observation": strings.Replace(listed, "status 503, want 200", `""`, 1),
		"twice":          listed + strings.TrimPrefix(listed, "\ndeviations:\n"),
	} {
		_, err := ParseDeviations([]byte(text))
		assert.Error(t, err, name)
	}
	empty, err := ParseDeviations(nil)
	require.NoError(t, err)
	assert.Empty(t, empty)
}

func TestAFailureReads(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindSplit, ID: "task4/split", Title: "cars", Params: Params(split7030)})
	s := splitScene(p.N, picker(40, 600))
	s.run.ID, s.run.Seed = "2026-11-23", 1724
	s.run.Environment = record.Environment{Istio: "1.31.4", Kubernetes: "1.36", NodeProxy: record.StandIn}
	v := s.judge(t, p)
	text := Explain(v, &s.run)
	lines := strings.Split(text, "\n")
	require.Len(t, lines, 6)
	assert.Regexp(t, `^cars: declared v1 70 %, v2 30 %   observed v1 \d\d\.\d % \(\d+/\d+\), v2 \d\d\.\d %   VIOLATED \(blame: mesh\)$`, lines[0])
	assert.Contains(t, lines[1], "v1 is too low: the line was crossed at request")
	assert.Regexp(t, `^  allowed v1 \d+\.\.\d+ of \d+ at alpha 1e-06; p ≤ \S+, valid at any look; per waypoint replica: waypoint-a \d`, lines[2])
	assert.Contains(t, lines[3], "first odd request #")
	assert.Equal(t, "  route cars-traffic-split generation 2: Accepted, ResolvedRefs; seed 1724; Istio 1.31.4, Kubernetes 1.36, node proxy stand-in", lines[4])
	assert.Equal(t, "  evidence artifacts/2026-11-23/   again: wayproof replay artifacts/2026-11-23", lines[5])
	assert.Regexp(t, `^VIOLATED \(blame: mesh\)  task4/split  cars: v1 `, Line(v))
	v.Verdict, v.Known, v.Reason, v.Evidence, v.StandIn, v.P = record.ViolatedKnown, "https://x/1", "they know", []string{"e/1"}, true, "1e-9"
	assert.Contains(t, Explain(v, &s.run), "known: https://x/1; they know")
	assert.Contains(t, Explain(v, &s.run), "evidence artifacts/2026-11-23/e/ ")
	assert.Contains(t, Explain(v, &s.run), "p = 1e-9")
	assert.Contains(t, Line(v), "[node proxy: stand-in]")
	assert.Equal(t, "HELD  a  b", Line(record.Verdict{ID: "a", Title: "b", Verdict: record.Held}))
}

func TestPeers(t *testing.T) {
	stage := &record.Stage{Peers: map[string]string{"10.0.0.1": "a", "fd00::1": "b"}}
	for peer, want := range map[string]string{"10.0.0.1:80": "a", "10.0.0.1": "a", "[fd00::1]:80": "b", "[fd00::1]": "b", "10.0.0.2:80": "10.0.0.2", "": ""} {
		assert.Equal(t, want, peerName(stage, peer), peer)
	}
}

// BenchmarkReplayMillion reads a million recorded observations from disk and
// judges five promises on them in one pass.
func BenchmarkReplayMillion(b *testing.B) {
	s := new(scene)
	s.addStage("s", 1_000_000, picker(50, 700))
	w, err := record.Create(b.TempDir())
	require.NoError(b, err)
	for i := range s.observations {
		require.NoError(b, w.Observation(&s.observations[i]))
	}
	require.NoError(b, w.WriteRun(&s.run))
	require.NoError(b, w.Close())
	header := split7030
	header.HeaderOnly = true
	promises := []record.Promise{
		plan(b, record.Promise{Kind: KindSplit, Params: Params(header)}),
		plan(b, record.Promise{Kind: KindIndependence, Params: Params(IndependenceParams{Version: "v1"})}),
		plan(b, record.Promise{Kind: KindEvery, Params: Params(EveryParams{Want: Conditions{Status: 200, Server: "istio-envoy"}})}),
		plan(b, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 990, AtMostMs: 5}}})}),
		plan(b, record.Promise{Kind: KindBound, Params: Params(BoundParams{BudgetPPM: 1000})}),
	}
	s.observations = nil
	reader, err := record.Open(w.Dir())
	require.NoError(b, err)
	for b.Loop() {
		verdicts, err := Judge(context.Background(), reader, promises)
		require.NoError(b, err)
		for _, v := range verdicts {
			if v.Verdict != record.Held {
				b.Fatal(errors.New(v.Detail))
			}
		}
	}
}

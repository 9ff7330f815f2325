package claim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// underFault is a stage of 20 s with a fault from second 5 to second 15, of
// which the generator skipped what a condition picks.
func underFault(skip func(o *record.Observation) bool, answer func(*record.Observation)) *scene {
	s := new(scene)
	s.addStage("s", 4000, func(o *record.Observation) {
		o.Intended += interval // the first is due after one interval
		o.Sent, o.First, o.Done = o.Sent+interval, o.First+interval, o.Done+interval
		if answer != nil {
			answer(o)
		}
	})
	var kept []record.Observation
	for _, o := range s.observations {
		if skip == nil || !skip(&o) {
			kept = append(kept, o)
		}
	}
	h := &s.run.Stages[0].Health
	h.Skipped = len(s.observations) - len(kept)
	h.Sent, h.Completed, s.observations = len(kept), len(kept), kept
	s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch.Add(5 * time.Second), End: epoch.Add(15 * time.Second)}}
	return s
}

func during(o *record.Observation) bool {
	return o.Intended >= 5*time.Second && o.Intended < 15*time.Second
}

func TestRequestsOfAWindowAreCountedAsPlanned(t *testing.T) {
	load := record.Load{Rate: 200, Hits: 4000}
	seen := 0
	for _, o := range underFault(nil, nil).observations {
		if during(&o) {
			seen++
		}
	}
	assert.Equal(t, seen, stretch{5 * time.Second, 15 * time.Second}.planned(load))
	assert.Equal(t, 4000, stretch{-time.Second, time.Hour}.planned(load))
	assert.Zero(t, stretch{time.Hour, 2 * time.Hour}.planned(load))
	assert.Equal(t, 1, stretch{5 * time.Millisecond, 10 * time.Millisecond}.planned(load))
}

// A client that stalls sends less and sees no error: what it skips may have failed.
func TestSkippedRequestsOfAWindowCount(t *testing.T) {
	some := func(of int) func(*record.Observation) bool {
		return func(o *record.Observation) bool { return during(o) && o.Seq%of == 0 }
	}
	failing := func(of int) func(*record.Observation) {
		return func(o *record.Observation) {
			if during(o) && o.Seq%of == 1 {
				o.Class = record.ClassReset
			}
		}
	}
	for name, c := range map[string]struct {
		budget int
		skip   func(*record.Observation) bool
		answer func(*record.Observation)
		want   record.Outcome
	}{
		"none, nothing skipped":                {0, nil, nil, record.Held},
		"none, a tenth skipped":                {0, some(10), nil, record.Held},
		"none, a quarter skipped":              {0, some(4), nil, record.Inconclusive},
		"none, a quarter skipped and an error": {0, some(4), failing(1998), record.Violated},
		"a tenth, a twentieth skipped":         {100_000, some(20), nil, record.Held},
		"a tenth, an eighth skipped":           {100_000, some(8), nil, record.Inconclusive},
		"a tenth, half of them failed":         {100_000, some(8), failing(2), record.Violated},
		"skipped elsewhere":                    {0, func(o *record.Observation) bool { return o.Intended >= 15*time.Second }, nil, record.Held},
	} {
		p := plan(t, record.Promise{Kind: KindBound, Delta: 10, Params: Params(BoundParams{Window: "fault", BudgetPPM: c.budget, CountSkipped: true})})
		v := underFault(c.skip, c.answer).judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
	}
	odd := plan(t, record.Promise{Kind: KindBound, Params: Params(BoundParams{BudgetPPM: 10, CountSkipped: true})})
	assert.Contains(t, underFault(nil, nil).judge(t, odd).Reason, "in a window")
}

func TestLatencyOfAWindow(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{
		Window: "fault", Measure: FromSent, Bounds: []QuantileBound{{Quantile: 900, AtMostMs: 20}},
	})})
	slow := func(where func(*record.Observation) bool) func(*record.Observation) {
		return func(o *record.Observation) {
			if where(o) && o.Seq%4 == 0 {
				o.Done += 100 * time.Millisecond
			}
		}
	}
	outside := func(o *record.Observation) bool { return !during(o) }
	quarter := func(o *record.Observation) bool { return during(o) && o.Seq%4 == 0 }
	assert.Equal(t, record.Held, underFault(nil, nil).judge(t, p).Verdict)
	assert.Equal(t, record.Held, underFault(nil, slow(outside)).judge(t, p).Verdict)
	assert.Equal(t, record.Violated, underFault(nil, slow(during)).judge(t, p).Verdict)
	assert.Equal(t, record.Inconclusive, underFault(quarter, nil).judge(t, p).Verdict, "what was skipped was not fast")
	assert.Equal(t, record.Held, underFault(func(o *record.Observation) bool { return during(o) && o.Seq%50 == 0 }, nil).judge(t, p).Verdict)
}

func TestAShareOfAWindow(t *testing.T) {
	of := Predicate{Status: 503, Version: "v2"}
	p := plan(t, record.Promise{Kind: KindShare, Delta: 150, Params: Params(ShareParams{Of: of, PerMille: 500, Label: "503 of v2", Window: "fault"})})
	half := func(where func(*record.Observation) bool) func(*record.Observation) {
		return func(o *record.Observation) {
			// a draw of its own for each request: those of a connection are not alike
			if draw := rand.New(rand.NewPCG(uint64(o.Seq), 1)); where(o) && draw.IntN(2) == 0 {
				o.Status, o.Version = 503, "v2"
			}
		}
	}
	assert.Equal(t, record.Held, underFault(nil, half(during)).judge(t, p).Verdict)
	assert.Equal(t, record.Violated, underFault(nil, half(func(o *record.Observation) bool { return !during(o) })).judge(t, p).Verdict)
	late := plan(t, record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Sampled: true}, PerMille: 500, Window: "fault"})})
	assert.Contains(t, underFault(nil, nil).judge(t, late).Reason, "knows no window")
}

// A fault that was not confirmed, or did not last, has no window: nothing is said
// by it, not even of what goes on through all windows.
func TestWhatIsPresupposedIsThere(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindEvery, Delta: 10, Requires: []string{Presupposing("fault")}, Params: Params(EveryParams{Want: Conditions{Status: 200}})})
	s := underFault(nil, nil)
	require.Equal(t, record.Held, s.judge(t, p).Verdict)
	s.run.Windows = nil
	v := s.judge(t, p)
	assert.Equal(t, record.Inconclusive, v.Verdict)
	assert.Equal(t, record.Harness, v.Blame)
	assert.Contains(t, v.Reason, "presupposes")
}

// A second in which the generator sent nothing shows no error, nor that there was none.
func TestASecondWithoutRequestsIsNoRelapse(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindRecovery, Params: Params(RecoveryParams{Window: "fault", FromStart: true, WithinMs: 1000})})
	idle := func(o *record.Observation) bool { return o.Intended >= 9*time.Second && o.Intended < 11*time.Second }
	v := underFault(idle, nil).judge(t, p)
	assert.Equal(t, record.Held, v.Verdict, v.Detail)
}

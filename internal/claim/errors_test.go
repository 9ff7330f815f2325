package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

func TestErrorBudgets(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindBound, Params: Params(BoundParams{BudgetPPM: 10_000})})
	assert.Equal(t, 688, p.N)
	build := func(errors int, fail func(*record.Observation)) record.Verdict {
		s := new(scene)
		s.addStage("s", 6000, func(o *record.Observation) {
			if o.Seq%60 == 0 && o.Seq/60 < errors {
				fail(o)
			}
		})
		return s.judge(t, p)
	}
	reset := func(o *record.Observation) { o.Class = record.ClassReset }
	// One percent of 6000 is 60: shown up to 37, refuted from 103 (Clopper-Pearson).
	for errors, want := range map[int]record.Outcome{0: record.Held, 37: record.Held, 38: record.Inconclusive, 60: record.Inconclusive, 99: record.Inconclusive} {
		assert.Equal(t, want, build(errors, reset).Verdict, "%d errors", errors)
	}
	for _, fail := range []func(*record.Observation){
		func(o *record.Observation) { o.Status = 500 }, func(o *record.Observation) { o.Replays = 1 }, func(o *record.Observation) { o.Status = 100 },
	} {
		assert.Equal(t, record.Inconclusive, build(60, fail).Verdict)
	}
	assert.Equal(t, record.Held, build(60, func(o *record.Observation) { o.Status = 404 }).Verdict)
	s := new(scene)
	s.addStage("s", 6000, func(o *record.Observation) {
		if o.Seq < 120 {
			reset(o)
		}
	})
	v := s.judge(t, p)
	assert.Equal(t, record.Violated, v.Verdict)
	assert.Contains(t, v.FirstOdd, "#0 ")
}

func TestNoErrorAtAll(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindBound, Delta: 10, Params: Params(BoundParams{Window: "fault", Connections: ConnectionsNew, Statuses: []int{200, 404}})})
	build := func(spoil func(*record.Observation)) record.Verdict {
		s := new(scene)
		s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch.Add(5 * time.Second), End: epoch.Add(15 * time.Second)}}
		s.addStage("s", 4000, func(o *record.Observation) {
			o.Reused = o.Seq%2 == 0
			spoil(o)
		})
		return s.judge(t, p)
	}
	v := build(func(*record.Observation) {})
	assert.Equal(t, record.Held, v.Verdict, v.Detail)
	assert.Equal(t, 1000, v.N)
	at := func(seq int) func(*record.Observation) {
		return func(o *record.Observation) {
			if o.Seq == seq {
				o.Status = 302
			}
		}
	}
	for seq, want := range map[int]record.Outcome{999: record.Held, 1001: record.Violated, 1002: record.Held, 2999: record.Violated, 3001: record.Held} {
		assert.Equal(t, want, build(at(seq)).Verdict, "request %d", seq)
	}
	s := new(scene)
	s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch.Add(-time.Hour), End: epoch}}
	s.addStage("s", 100, nil)
	assert.Equal(t, record.Inconclusive, s.judge(t, p).Verdict, "no data is never green")
}

func TestRecovery(t *testing.T) {
	params := RecoveryParams{Window: "fault", WithinMs: 2000, SliceMs: 500, Sustain: 3}
	build := func(hits int, broken func(at time.Duration) bool) record.Verdict {
		s := new(scene)
		s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch.Add(time.Second), End: epoch.Add(2 * time.Second)}}
		s.addStage("s", hits, func(o *record.Observation) {
			if broken(o.Intended) {
				o.Class = record.ClassReset
			}
		})
		return s.judge(t, plan(t, record.Promise{Kind: KindRecovery, Params: Params(params)}))
	}
	until := func(ms int) func(time.Duration) bool {
		return func(at time.Duration) bool { return at > time.Second && at < time.Duration(ms)*time.Millisecond }
	}
	for ms, want := range map[int]record.Outcome{2000: record.Held, 3500: record.Held, 4000: record.Held, 4005: record.Violated, 9000: record.Violated} {
		v := build(2000, until(ms))
		assert.Equal(t, want, v.Verdict, "broken until %d ms: %s", ms, v.Detail)
	}
	assert.Equal(t, record.Violated, build(2000, func(time.Duration) bool { return true }).Verdict)
	assert.Equal(t, record.Inconclusive, build(600, func(time.Duration) bool { return true }).Verdict, "not watched for long enough")
	flapping := build(2000, func(at time.Duration) bool { return at > time.Second && at/time.Second%2 == 1 })
	assert.Equal(t, record.Violated, flapping.Verdict, "two clean slices in a row are not three")
	params.FromStart = true
	assert.Equal(t, record.Violated, build(2000, until(3500)).Verdict)
}

// A fault that is felt late, or again, was not recovered from before it came.
func TestRecoveryFromTheStartOfAWindowLastsToItsEnd(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindRecovery, Params: Params(RecoveryParams{Window: "fault", FromStart: true, WithinMs: 3000})})
	build := func(from, till time.Duration) record.Verdict {
		s := new(scene)
		s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch.Add(time.Second), End: epoch.Add(21 * time.Second)}}
		s.addStage("s", 6000, func(o *record.Observation) {
			if o.Intended >= from && o.Intended < till {
				o.Class = record.ClassReset
			}
		})
		return s.judge(t, p)
	}
	second := time.Second
	for name, c := range map[string]struct {
		from, till time.Duration
		want       record.Outcome
	}{
		"never felt":                  {0, 0, record.Held},
		"felt at once":                {second, 3 * second, record.Held},
		"felt within the limit":       {3 * second, 3900 * time.Millisecond, record.Held},
		"felt after five seconds":     {6 * second, 7 * second, record.Violated},
		"felt after 15 s":             {16 * second, 16100 * time.Millisecond, record.Violated},
		"felt by the undo":            {21 * second, 25 * second, record.Held},
		"felt before, and not now":    {0, second, record.Held},
		"not over at its time":        {second, 6 * second, record.Violated},
		"until the end of the window": {second, 30 * second, record.Violated},
	} {
		assert.Equal(t, c.want, build(c.from, c.till).Verdict, name)
	}
	v := build(2*second, 3*second)
	assert.Contains(t, v.Figures, record.Figure{Name: "first error", Value: "1s"})
	assert.Contains(t, v.Figures, record.Figure{Name: "first success after it", Value: "2s"})
}

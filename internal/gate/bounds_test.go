package gate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/gate"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/synthetic"
)

func TestTooFewRequestsAreUndecided(t *testing.T) {
	d := decide(t, drawn(t, synthetic.Shape{Seed: 1, Hits: 300}), drawn(t, synthetic.Shape{Seed: 2, Hits: 300}), gate.DefaultPolicy())
	assert.Equal(t, gate.Undecided, d.Outcome())
	require.NotEmpty(t, d.Compared)
	assert.Contains(t, d.Compared[0].Why, "too few requests: only a difference of")
}

func TestACoarseComparisonIsNeverGreen(t *testing.T) {
	// Both runs promise and hold, but the policy asks for more than they can tell.
	policy := gate.DefaultPolicy()
	policy.Comparison.SharePerMille = 10
	d := decide(t, drawn(t, synthetic.Shape{Seed: 1}), drawn(t, synthetic.Shape{Seed: 2}), policy)
	assert.Equal(t, gate.Undecided, d.Outcome())
	assert.Contains(t, d.Compared[0].Why, "1.0 points are asked for")
}

func TestLatencyMayBeUntoldWhereThePolicySaysSo(t *testing.T) {
	policy := gate.DefaultPolicy()
	policy.Comparison.LatencyMayBeUntold = true
	run := drawn(t, synthetic.Shape{Seed: 2})
	run.Record.Stages[0].Health.LagP99 = 40 * time.Millisecond
	d := decide(t, run, drawn(t, synthetic.Shape{Seed: 1}), policy)
	assert.Equal(t, gate.Released, d.Outcome())
	assert.Contains(t, d.Compared[len(d.Compared)-1].Why, "40.0 ms behind schedule", "and is said")
}

// TestRunsThatHeldDifferByNoMoreThanTwiceADeviation: how many requests it took to
// show that does not matter, unless the policy asks for more.
func TestRunsThatHeldDifferByNoMoreThanTwiceADeviation(t *testing.T) {
	one, other := drawn(t, synthetic.Shape{Seed: 1, Hits: 900}), drawn(t, synthetic.Shape{Seed: 2, Hits: 900})
	for _, run := range []*record.Memory{one, other} {
		for i := range run.Record.Verdicts {
			run.Record.Verdicts[i].Verdict = record.Held
		}
	}
	policy := gate.DefaultPolicy()
	assert.Equal(t, gate.Passed, decide(t, other, one, policy).Compared[0].Ruling)
	policy.Comparison.SharePerMille = 20
	assert.Equal(t, gate.Open, decide(t, other, one, policy).Compared[0].Ruling)
}

func TestOnlyPromisesThatAreAskedForAreCompared(t *testing.T) {
	policy := gate.DefaultPolicy()
	policy.Must = []string{synthetic.Latency, synthetic.Errors}
	d := decide(t, drawn(t, synthetic.Shape{Seed: 2, First: 600}), drawn(t, synthetic.Shape{Seed: 1}), policy)
	assert.Equal(t, gate.Released, d.Outcome(), "%+v", d)
	assert.Empty(t, differing(d))
}

// TestPromisesOfTheBaselineMayNotBeDropped: that every promise which is left holds
// is not enough.
func TestPromisesOfTheBaselineMayNotBeDropped(t *testing.T) {
	smaller := drawn(t, synthetic.Shape{Seed: 2})
	smaller.Record.Plan.Promises, smaller.Record.Verdicts = smaller.Record.Plan.Promises[:2], smaller.Record.Verdicts[:2]
	baseline := drawn(t, synthetic.Shape{Seed: 1})
	d := decide(t, smaller, baseline, gate.DefaultPolicy())
	assert.Equal(t, gate.Undecided, d.Outcome())
	assert.Equal(t, gate.Open, rulings(d)[synthetic.Errors])
	assert.Equal(t, gate.Open, rulings(d)[synthetic.Recovery])
	policy := gate.DefaultPolicy()
	policy.Must = []string{"task4/*/share", synthetic.Latency}
	d = decide(t, smaller, baseline, policy)
	assert.Equal(t, gate.Released, d.Outcome(), "what the policy does not ask for may go: %+v", d)
}

// TestAStageOfFewRequestsIsNotCalledEqual: a stage that ended early leaves blocks
// that are too small to show anything.
func TestAStageOfFewRequestsIsNotCalledEqual(t *testing.T) {
	for name, shape := range map[string]synthetic.Shape{"the same": {Seed: 2}, "slower": {Seed: 2, Slower: 50 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, endedEarly(t, shape, 200), drawn(t, synthetic.Shape{Seed: 1}), gate.DefaultPolicy())
			seen := 0
			for _, c := range d.Compared {
				if c.Quantity == "p50 of the latency" || c.Quantity == "p90 of the latency" {
					seen++
					assert.Equal(t, gate.Left, c.Ruling, "%+v", c)
					assert.Contains(t, c.Why, "too few requests")
				}
			}
			assert.Equal(t, 2, seen)
		})
	}
}

// endedEarly is a run whose first stage was stopped after so many requests.
func endedEarly(t *testing.T, shape synthetic.Shape, sent int) *record.Memory {
	t.Helper()
	whole := drawn(t, shape)
	run := &record.Memory{Record: whole.Record}
	require.NoError(t, whole.Walk(t.Context(), record.Handlers{OnObservation: func(o *record.Observation) error {
		if o.Stage == 0 && o.Seq >= sent {
			return nil
		}
		return run.Observation(o)
	}}))
	health := &run.Record.Stages[0].Health
	health.Sent, health.Completed, health.Stopped = sent, sent, true
	return run
}

// TestFalseAlarmsStayWithinTheBudget draws pairs of the same mesh at a budget of
// 5 %: 7 or more of 20 would have a probability below 1e-4.
func TestFalseAlarmsStayWithinTheBudget(t *testing.T) {
	policy := gate.DefaultPolicy()
	policy.Comparison.Alpha, policy.Comparison.ToleranceMs = 0.05, 0.01
	policy.Comparison.Quantiles = []int{100, 250, 500, 750, 900}
	alarms := 0
	for seed := range uint64(20) {
		run, err := synthetic.Draw(synthetic.Shape{Seed: 100 + seed, Hits: 1000})
		require.NoError(t, err)
		baseline, err := synthetic.Draw(synthetic.Shape{Seed: 200 + seed, Hits: 1000})
		require.NoError(t, err)
		d := decide(t, run, baseline, policy)
		if len(differing(d)) > 0 {
			alarms++
		}
	}
	assert.Less(t, alarms, 7)
}

func TestRunsThatAreNotComparable(t *testing.T) {
	tests := map[string]struct {
		change func(*record.Run)
		why    string
		want   gate.Outcome
	}{
		"kind of environment": {func(r *record.Run) { r.Environment.Name = "existing" }, "environment: kind in the baseline, existing in the run", gate.Incomparable},
		"stand-in":            {func(r *record.Run) { r.Environment.NodeProxy = record.StandIn }, "node proxy: ztunnel in the baseline, stand-in in the run", gate.Incomparable},
		"no stage in common": {func(r *record.Run) {
			for i := range r.Stages {
				r.Stages[i].Name += "x"
			}
		}, "the runs have no stage in common that was driven alike", gate.Incomparable},
		"rate":        {func(r *record.Run) { r.Stages[0].Load.Rate = 100 }, "rate 200 in the baseline, 100 in the run", gate.Incomparable},
		"target":      {func(r *record.Run) { r.Stages[0].Load.Targets[0].URL = "http://b/" }, "http://b/ in the run", gate.Incomparable},
		"declaration": {func(r *record.Run) { r.Plan.Promises[0].Params = []byte(`{"service":"cars"}`) }, "declares something else", gate.Undecided},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run := drawn(t, synthetic.Shape{Seed: 2})
			test.change(&run.Record)
			d := decide(t, run, drawn(t, synthetic.Shape{Seed: 1}), gate.DefaultPolicy())
			require.NotEmpty(t, d.Incomparable)
			assert.Contains(t, d.Incomparable[0], test.why)
			assert.Equal(t, test.want, d.Outcome())
		})
	}
}

func TestAFailureOutweighsThatNothingCanBeCompared(t *testing.T) {
	run := drawn(t, synthetic.Shape{Seed: 2, First: 600})
	run.Record.Environment.Name = "existing"
	d := decide(t, run, drawn(t, synthetic.Shape{Seed: 1}), gate.DefaultPolicy())
	assert.Equal(t, gate.Refused, d.Outcome())
}

func TestVersionsMayDiffer(t *testing.T) {
	run := drawn(t, synthetic.Shape{Seed: 2})
	run.Record.Environment.Istio, run.Record.Environment.NodeProxy = "1.32.0", "ztunnel 1.32.0"
	d := decide(t, run, drawn(t, synthetic.Shape{Seed: 1}), gate.DefaultPolicy())
	assert.Equal(t, gate.Released, d.Outcome())
}

func TestALateGeneratorSaysNothingOfLatency(t *testing.T) {
	run := drawn(t, synthetic.Shape{Seed: 2, Slower: 50 * time.Millisecond})
	run.Record.Stages[0].Health.LagP99 = 40 * time.Millisecond
	d := decide(t, run, drawn(t, synthetic.Shape{Seed: 1}), gate.DefaultPolicy())
	assert.Empty(t, differing(d))
	assert.Equal(t, gate.Undecided, d.Outcome())
}

func TestStagesOfOneRunAreNoted(t *testing.T) {
	run := drawn(t, synthetic.Shape{Seed: 2})
	run.Record.Stages[1].Name = "other"
	d := decide(t, run, drawn(t, synthetic.Shape{Seed: 1}), gate.DefaultPolicy())
	assert.Contains(t, d.Notes, "in the run only: other")
	assert.Contains(t, d.Notes, "in the baseline only: "+synthetic.KillStage)
}

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

func drawn(t *testing.T, shape synthetic.Shape) *record.Memory {
	t.Helper()
	run, err := synthetic.New(t.Context(), shape)
	require.NoError(t, err)
	return run
}

func of(run *record.Memory) gate.Run {
	return gate.Run{Source: run, Verdicts: run.Record.Verdicts}
}

func decide(t *testing.T, run, baseline *record.Memory, policy gate.Policy) gate.Decision {
	t.Helper()
	var base *gate.Run
	if baseline != nil {
		b := of(baseline)
		base = &b
	}
	decision, err := gate.Decide(t.Context(), policy, of(run), base)
	require.NoError(t, err)
	return decision
}

// differing lists the quantities that were found different.
func differing(d gate.Decision) (found []string) {
	for _, c := range d.Compared {
		if c.Differs {
			found = append(found, c.Of+": "+c.Quantity)
		}
	}
	return found
}

const (
	shareOfV1 = synthetic.Split + ": share of v1"
	median    = synthetic.SplitStage + ": p50 of the latency"
	p90       = synthetic.SplitStage + ": p90 of the latency"
	p99       = synthetic.SplitStage + ": p99 of the latency"
	failures  = synthetic.SplitStage + ": errors"
)

func TestEqualRunsOnDifferentSeedsAreReleased(t *testing.T) {
	baseline := drawn(t, synthetic.Shape{Seed: 1})
	for seed := uint64(2); seed < 8; seed++ {
		d := decide(t, drawn(t, synthetic.Shape{Seed: seed}), baseline, gate.DefaultPolicy())
		assert.Empty(t, differing(d))
		assert.Equal(t, gate.Released, d.Outcome(), "seed %d: %+v", seed, d)
		assert.Len(t, d.Compared, 5)
	}
}

func TestDifferencesAreFound(t *testing.T) {
	tests := map[string]struct {
		base, run synthetic.Shape
		want      []string
		outcome   gate.Outcome
	}{
		"65/35 against 70/30":    {run: synthetic.Shape{First: 650}, want: []string{shareOfV1}, outcome: gate.Refused},
		"50 ms more":             {run: synthetic.Shape{Slower: 50 * time.Millisecond}, want: []string{median, p90, p99}, outcome: gate.Refused},
		"within the tolerance":   {run: synthetic.Shape{Slower: 10 * time.Millisecond}, outcome: gate.Released},
		"50 ms less":             {base: synthetic.Shape{Slower: 50 * time.Millisecond}, want: []string{median, p90, p99}, outcome: gate.Released},
		"one stall of 200 ms":    {run: synthetic.Shape{Stall: 200 * time.Millisecond}, outcome: gate.Released},
		"two percent of resets":  {run: synthetic.Shape{Lost: 20}, want: []string{failures}, outcome: gate.Refused},
		"the resets are gone":    {base: synthetic.Shape{Lost: 20}, want: []string{failures}, outcome: gate.Released},
		"the split is repaired":  {base: synthetic.Shape{First: 600}, want: []string{shareOfV1}, outcome: gate.Released},
		"slower by the timeouts": {run: synthetic.Shape{Lost: 40, Slower: 60 * time.Millisecond}, want: []string{median, p90, p99, failures}, outcome: gate.Refused},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.base.Seed, test.run.Seed = 11, 12
			d := decide(t, drawn(t, test.run), drawn(t, test.base), gate.DefaultPolicy())
			assert.ElementsMatch(t, test.want, differing(d))
			assert.Equal(t, test.outcome, d.Outcome(), "%+v", d)
		})
	}
}

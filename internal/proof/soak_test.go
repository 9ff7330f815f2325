package proof_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/record"
)

// Every kind of claim that the catalogue's promises can be false-alarmed by is
// in the first round, and nothing that cannot be.
func TestARoundHasEveryClaimThatCanBeWrong(t *testing.T) {
	plan := sound(t)
	want, got := map[string]bool{}, map[string]bool{}
	for _, promise := range plan.Planned {
		if promise.Alpha > 0 {
			want[promise.Kind] = true
		}
	}
	round, err := proof.Healthy(plan, 1)
	require.NoError(t, err)
	for _, scenario := range round {
		assert.NotEmpty(t, scenario.Promises, scenario.ID)
		for _, promise := range scenario.Promises {
			assert.Positive(t, promise.Alpha, promise.ID)
			assert.Contains(t, promise.ID, "round-1/")
			got[promise.Kind] = true
		}
	}
	assert.Equal(t, want, got)
}

// Three in n: no false alarm in 200 verdicts bounds their probability by 1.5 %.
func TestASoakBoundsTheFalseAlarm(t *testing.T) {
	round, err := proof.Healthy(sound(t), 1)
	require.NoError(t, err)
	one := round[0]
	var soak proof.Soak
	add := func(outcome record.Outcome, times int) {
		for range times {
			soak.Add(one, []record.Verdict{{ID: one.Promises[0].ID, Verdict: outcome, Alpha: 1e-6}})
		}
	}
	add(record.Held, 200)
	add(record.Inconclusive, 10)
	assert.Equal(t, 200, soak.Verdicts, "no verdict is none")
	assert.InEpsilon(t, 0.01487, soak.Bound, 1e-3)
	assert.InEpsilon(t, 2e-4, soak.Expected, 1e-9)
	add(record.Violated, 1)
	assert.Equal(t, 1, soak.Violated)
	assert.Len(t, soak.Broken, 1)
	assert.InEpsilon(t, 0.02338, soak.Bound, 1e-3)
	assert.Equal(t, 10, soak.Outcomes[claim.KindSplit][record.Inconclusive])

	var both proof.Soak
	both.Merge(soak)
	both.Merge(soak)
	assert.Equal(t, 2*soak.Verdicts, both.Verdicts)
	assert.Equal(t, 20, both.Outcomes[claim.KindSplit][record.Inconclusive])
	assert.Less(t, both.Bound, soak.Bound)
}

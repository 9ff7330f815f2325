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

// What two promises say of one stage is one observation: no promise of a round
// may read a stage that another one reads beside it but counts elsewhere.
func TestAVerdictOfASoakBelongsToOneStage(t *testing.T) {
	round, err := proof.Healthy(sound(t), 1)
	require.NoError(t, err)
	first := map[string]string{}
	for _, scenario := range round {
		for _, promise := range scenario.Promises {
			for _, stage := range promise.Stages {
				before, read := first[stage]
				assert.True(t, !read || before == promise.Stages[0], "%s reads %s", promise.ID, stage)
				first[stage] = promise.Stages[0]
			}
		}
	}
}

// Three in n: no false alarm in 200 stages bounds their probability by 1.5 %,
// however many verdicts each of them has.
func TestASoakBoundsTheFalseAlarm(t *testing.T) {
	round, err := proof.Healthy(sound(t), 1)
	require.NoError(t, err)
	one := round[0]
	var soak proof.Soak
	add := func(times int, share, independence record.Outcome) {
		for range times {
			soak.Add(one, []record.Verdict{
				{ID: "round-1/task4/split-70-30/share", Verdict: share, Alpha: 1e-6},
				{ID: "round-1/task4/split-70-30/independence", Verdict: independence, Alpha: 1e-6},
			})
		}
	}
	add(200, record.Held, record.Held)
	add(10, record.Inconclusive, record.Unsupported)
	assert.Equal(t, 400, soak.Verdicts, "no verdict is none")
	assert.Equal(t, 200, soak.Stages)
	assert.InEpsilon(t, 0.01487, soak.Bound, 1e-3)
	assert.InEpsilon(t, 4e-4, soak.Expected, 1e-9)
	add(1, record.Violated, record.Violated)
	assert.Equal(t, 2, soak.Violated)
	assert.Equal(t, 1, soak.Alarmed)
	assert.Len(t, soak.Broken, 2)
	assert.InEpsilon(t, 0.02338, soak.Bound, 1e-3)
	assert.Equal(t, 10, soak.Outcomes[claim.KindSplit][record.Inconclusive])

	var both proof.Soak
	both.Merge(soak)
	both.Merge(soak)
	assert.Equal(t, 2*soak.Verdicts, both.Verdicts)
	assert.Equal(t, 402, both.Stages)
	assert.Equal(t, 20, both.Outcomes[claim.KindSplit][record.Inconclusive])
	assert.Less(t, both.Bound, soak.Bound)
}

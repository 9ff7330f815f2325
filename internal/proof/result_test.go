package proof_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

func mutant(t *testing.T, name string) (proof.Mutant, catalogue.Scenario) {
	t.Helper()
	for _, one := range proof.Mutants() {
		if one.Name == name {
			scenario, err := one.Apply(sound(t))
			require.NoError(t, err)
			return one, scenario
		}
	}
	t.Fatalf("no mutant %s", name)
	return proof.Mutant{}, catalogue.Scenario{}
}

func verdicts(scenario catalogue.Scenario, outcome func(id string) record.Outcome) []record.Verdict {
	var all []record.Verdict
	for _, promise := range scenario.Promises {
		all = append(all, record.Verdict{ID: promise.ID, Verdict: outcome(promise.ID), N: 7, Reason: "why", Detail: "what"})
	}
	return all
}

// The mutant of the shares is played in the stage that shares and independence
// read, and in no other.
func TestAMutantIsCutToWhatItsPromisesRead(t *testing.T) {
	_, scenario := mutant(t, "split-60-40")
	require.Len(t, scenario.Drives, 1)
	assert.Equal(t, "split-60-40/task4/split-70-30/applied", scenario.Drives[0].Name)
	require.Len(t, scenario.Promises, 2)
	for _, promise := range scenario.Promises {
		assert.Equal(t, []string{scenario.Drives[0].Name}, promise.Stages)
		assert.Positive(t, promise.N, "sized as in a whole run")
		assert.InEpsilon(t, 1e-6, promise.Alpha, 1e-12)
	}
}

func TestWhatTheSoundMeshBreaksIsNotAsked(t *testing.T) {
	_, scenario := mutant(t, "redirect-table")
	for _, promise := range scenario.Promises {
		assert.NotContains(t, promise.ID, "row-02")
	}
}

func TestAResultSaysWhatBecameOfTheMutant(t *testing.T) {
	one, scenario := mutant(t, "split-60-40")
	only := func(name string) func(string) record.Outcome {
		return func(id string) record.Outcome {
			if strings.HasSuffix(id, "/"+name) {
				return record.Violated
			}
			return record.Held
		}
	}
	result := one.Judge(scenario, verdicts(scenario, only("share")), nil)
	assert.Equal(t, fate.Killed, result.Fate)
	require.Len(t, result.Named(), 1)
	assert.Equal(t, "share", result.Named()[0].Promise)
	assert.Equal(t, "split", result.Named()[0].Kind)
	assert.Equal(t, fate.Elsewhere, one.Judge(scenario, verdicts(scenario, only("independence")), nil).Fate)
	assert.Equal(t, fate.Survived, one.Judge(scenario, verdicts(scenario, only("none")), nil).Fate)

	result = one.Judge(scenario, verdicts(scenario, only("share")), errors.New("no ready load pod"))
	assert.Equal(t, fate.Failed, result.Fate)
	assert.Equal(t, "no ready load pod", result.Reason)
	result = one.Judge(scenario, verdicts(scenario, func(string) record.Outcome { return record.Unsupported }), nil)
	assert.Equal(t, fate.Unplayable, result.Fate)
	assert.Equal(t, "why", result.Reason)
}

func TestTheSameSeedDrawsTheSameMutants(t *testing.T) {
	plan := sound(t)
	drawn := func(seed uint64, sample time.Duration) (names []string) {
		mutants, err := proof.Select(proof.Mutants(), proof.Selection{Sample: sample, Seed: seed}, plan)
		require.NoError(t, err)
		total := time.Duration(0)
		for _, one := range mutants {
			scenario, err := one.Apply(plan)
			require.NoError(t, err)
			total += proof.Expect(scenario)
			names = append(names, one.Name)
		}
		assert.LessOrEqual(t, total, sample)
		assert.Greater(t, total, sample*3/4, "most of the time is used")
		return names
	}
	assert.Equal(t, drawn(7, 5*time.Minute), drawn(7, 5*time.Minute))
	assert.NotEqual(t, drawn(7, 5*time.Minute), drawn(8, 5*time.Minute))
}

func TestMutantsAreSelected(t *testing.T) {
	plan := sound(t)
	names := func(selection proof.Selection) (names []string) {
		mutants, err := proof.Select(proof.Mutants(), selection, plan)
		require.NoError(t, err)
		for _, one := range mutants {
			names = append(names, one.Name)
		}
		return names
	}
	assert.Equal(t, []string{"split-60-40"}, names(proof.Selection{Focus: "^split-60-40 "}))
	assert.Contains(t, names(proof.Selection{Labels: []string{"task9"}}), "pdb-missing")
	assert.NotContains(t, names(proof.Selection{Labels: []string{"task9"}}), "split-60-40")
	for _, wrong := range []proof.Selection{{Focus: "("}, {Focus: "^nothing of the kind$"}, {Sample: time.Second}} {
		_, err := proof.Select(proof.Mutants(), wrong, plan)
		require.Error(t, err)
	}
}

func TestAMatrixKeepsWhatIsKnown(t *testing.T) {
	matrix := &proof.Matrix{}
	matrix.Merge([]proof.Result{{Mutant: "split-65-35", Fate: fate.Survived}, {Mutant: "split-60-40", Fate: fate.Killed}, {Mutant: "old"}})
	matrix.Merge([]proof.Result{{Mutant: "split-65-35", Fate: fate.Killed}, {Mutant: "split-60-40", Fate: fate.Failed}})
	matrix.Merge([]proof.Result{{Mutant: "split-65-35", Fate: fate.Inconclusive}})
	require.Len(t, matrix.Results, 2)
	for _, result := range matrix.Results {
		assert.Equal(t, fate.Killed, result.Fate, result.Mutant)
	}
}

package proof_test

import (
	"encoding/json"
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

// One draw, one verdict: a play is never forgotten for another one.
func TestAMatrixCountsEveryPlay(t *testing.T) {
	play := func(run string, fate fate.Fate, digest string) []proof.Result {
		return []proof.Result{{Mutant: "split-65-35", Run: run, Istio: "1.31", Fate: fate, Digest: digest}, {Mutant: "no-more", Run: run}}
	}
	const same, other = "same", "other"
	for name, c := range map[string]struct {
		plays [][]proof.Result
		told  fate.Fate
		kills int
		of    int
	}{
		"a survivor is not forgotten":        {[][]proof.Result{play("a", fate.Survived, same), play("b", fate.Killed, same)}, fate.Killed, 1, 2},
		"nor is a kill":                      {[][]proof.Result{play("a", fate.Killed, same), play("b", fate.Survived, same)}, fate.Survived, 1, 2},
		"no verdict counts, and tells less":  {[][]proof.Result{play("a", fate.Killed, same), play("b", fate.Inconclusive, same)}, fate.Killed, 1, 2},
		"what was not played is no play":     {[][]proof.Result{play("a", fate.Killed, same), play("b", fate.Failed, same)}, fate.Killed, 1, 1},
		"what cannot be played takes none":   {[][]proof.Result{play("a", fate.Killed, same), play("b", fate.Unplayable, same)}, fate.Killed, 1, 1},
		"nor of what was inconclusive":       {[][]proof.Result{play("a", fate.Inconclusive, same), play("b", fate.Unplayable, same)}, fate.Inconclusive, 0, 1},
		"what can be played now is told":     {[][]proof.Result{play("a", fate.Unplayable, same), play("b", fate.Killed, same)}, fate.Killed, 1, 1},
		"a run counts once":                  {[][]proof.Result{play("a", fate.Killed, same), play("a", fate.Killed, same)}, fate.Killed, 1, 1},
		"another defect begins anew":         {[][]proof.Result{play("a", fate.Survived, other), play("b", fate.Killed, same)}, fate.Killed, 1, 1},
		"only what cannot be played is told": {[][]proof.Result{play("a", fate.Unplayable, same)}, fate.Unplayable, 0, 0},
	} {
		matrix := &proof.Matrix{}
		for _, results := range c.plays {
			matrix.Merge(results)
		}
		require.Len(t, matrix.Results, 1, name)
		row := matrix.Results[0]
		assert.Equal(t, c.told, row.Fate, name)
		assert.Equal(t, c.kills, row.Killed(), name)
		assert.Len(t, row.Plays, c.of, name)
	}
}

func TestASoundMeshIsHeardEachTime(t *testing.T) {
	matrix := &proof.Matrix{}
	for run, outcome := range map[string]record.Outcome{"a": record.Violated, "b": record.Held, "c": record.Held} {
		matrix.Hold(run, []record.Verdict{{ID: "p", Verdict: outcome}})
		matrix.Hold(run, []record.Verdict{{ID: "p", Verdict: outcome}})
	}
	assert.Equal(t, "held 2, violated 1", matrix.Sound["p"].String())
	assert.Len(t, matrix.SoundRuns, 3)
}

// A matrix of schema 1 has one play of each mutant, and one word of each promise.
func TestAnOldMatrixIsRead(t *testing.T) {
	matrix := &proof.Matrix{}
	require.NoError(t, json.Unmarshal([]byte(`{"schema":1,"sound":{"p":"held"},"results":[
		{"mutant":"split-65-35","fate":"killed","kills":["share"],"run":"r1","istio":"1.31"},
		{"mutant":"replica-stale","fate":"not playable","kills":["independence"],"reason":"why"}]}`), matrix))
	require.NoError(t, matrix.Migrate())
	assert.Equal(t, proof.Schema, matrix.Schema)
	assert.Equal(t, proof.Heard{record.Held: 1}, matrix.Sound["p"])
	row, _ := matrix.Result("split-65-35")
	assert.Equal(t, []proof.Play{{Run: "r1", Istio: "1.31", Fate: fate.Killed}}, row.Plays)
	assert.NotEmpty(t, row.Digest)
	stale, _ := matrix.Result("replica-stale")
	assert.Empty(t, stale.Plays)

	text, err := json.Marshal(matrix)
	require.NoError(t, err)
	again := &proof.Matrix{}
	require.NoError(t, json.Unmarshal(text, again))
	assert.Equal(t, matrix, again)
}

// The digest is that of what is made: stable, and another one for each defect.
func TestADigestTellsDefectsApart(t *testing.T) {
	made := map[string]string{}
	for _, one := range proof.Mutants() {
		if one.Scenario != "task4/split-70-30" {
			continue
		}
		digest, err := one.Digest()
		require.NoError(t, err)
		again, err := one.Digest()
		require.NoError(t, err)
		assert.Equal(t, digest, again, one.Name)
		assert.Empty(t, made[digest], "%s and %s", one.Name, made[digest])
		made[digest] = one.Name
	}
}

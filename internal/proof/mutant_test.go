package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/record"
)

// planned is the plan of everything, which takes a second to compute.
var planned = sync.OnceValues(func() (proof.Sound, error) { return proof.Plan(1) })

func sound(t *testing.T) proof.Sound {
	t.Helper()
	sound, err := planned()
	require.NoError(t, err)
	return sound
}

// sample is that of .ci/run, the shortest that is drawn: what comes first in the
// order of a seed is drawn if it fits.
const sample = 3 * time.Minute

// What is not scaled is watched until it is late: before that nothing is said.
func TestAnIgnoredTargetIsWatchedUntilItIsLate(t *testing.T) {
	_, scenario := mutant(t, "hpa-target-ignored")
	place := slices.IndexFunc(scenario.Promises, func(p record.Promise) bool { return strings.HasSuffix(p.ID, "/scaled") })
	require.GreaterOrEqual(t, place, 0)
	var params claim.SeriesParams
	require.NoError(t, json.Unmarshal(scenario.Promises[place].Params, &params))
	late := time.Duration(params.Conditions[0].WithinMs) * time.Millisecond
	require.Positive(t, late)
	for _, drive := range scenario.Drives {
		if drive.Scaling != nil && drive.Window == catalogue.Applied {
			assert.Greater(t, drive.Scaling.Lasts, late+2*drive.Scaling.Every)
		}
	}
}

func TestEveryMutantCanBeMade(t *testing.T) {
	plan, names := sound(t), map[string]bool{}
	for _, mutant := range proof.Mutants() {
		assert.False(t, names[mutant.Name], "%s is there twice", mutant.Name)
		names[mutant.Name] = true
		scenario, err := mutant.Apply(plan)
		require.NoError(t, err)
		assert.NotEmpty(t, mutant.Title, mutant.Name)
		assert.NotEmpty(t, mutant.Kills, mutant.Name)
		assert.NotEmpty(t, scenario.Drives, mutant.Name)
		assert.Positive(t, proof.Expect(scenario), mutant.Name)
		if mutant.Unplayable == "" {
			assert.Less(t, proof.Expect(scenario), sample, "%s is in no selection of that length", mutant.Name)
		}
		for _, promise := range scenario.Promises {
			assert.True(t, strings.HasPrefix(promise.ID, mutant.Name+"/"+mutant.Scenario+"/"), promise.ID)
			assert.NotEmpty(t, promise.Kind, promise.ID)
		}
		for _, name := range mutant.Also {
			assert.NotContains(t, mutant.Kills, name, mutant.Name)
		}
	}
}

// What is applied differs from the sound scenario, and a server would take it.
func TestEveryMutantIsOneValidChange(t *testing.T) {
	plan := sound(t)
	for _, mutant := range proof.Mutants() {
		scenario, err := mutant.Apply(plan)
		require.NoError(t, err)
		original, err := catalogue.Select(catalogue.Traffic(), catalogue.Selection{Focus: "^" + mutant.Scenario + " "})
		require.NoError(t, err)
		before, err := proof.Rendered(original[0])
		require.NoError(t, err, mutant.Name)
		after, err := proof.Rendered(scenario)
		require.NoError(t, err, mutant.Name)
		assert.NotEqual(t, before, after, mutant.Name)
	}
}

// A new promise needs a mutant that it kills, or a word why it has none.
func TestEveryPromiseKillsAMutant(t *testing.T) {
	killed := map[string]bool{}
	for _, mutant := range proof.Mutants() {
		for _, id := range mutant.Promises() {
			killed[id] = true
		}
	}
	spared, plan := proof.Spared(), sound(t)
	for _, promise := range plan.Planned {
		reason, excused := spared[promise.ID]
		switch {
		case slices.Contains(plan.Known, promise.ID):
			assert.False(t, killed[promise.ID], "%s is broken by the sound mesh: what kills it shows nothing", promise.ID)
		case excused:
			assert.False(t, killed[promise.ID], "%s is spared and yet a mutant names it", promise.ID)
			assert.NotEmpty(t, reason, promise.ID)
		default:
			assert.True(t, killed[promise.ID], "no mutant names %s", promise.ID)
		}
		delete(spared, promise.ID)
	}
	assert.Empty(t, spared, "spared, and promised by no scenario")
}

func TestEveryKindOfTheCatalogueKillsAMutant(t *testing.T) {
	plan, killing, promised := sound(t), map[string]bool{}, map[string]bool{}
	for _, promise := range plan.Planned {
		promised[promise.Kind] = true
		for _, mutant := range proof.Mutants() {
			if mutant.Unplayable == "" && slices.Contains(mutant.Promises(), promise.ID) {
				killing[promise.Kind] = true
			}
		}
	}
	for kind := range promised {
		assert.True(t, killing[kind], "no mutant of the mesh is killed by a claim of kind %s", kind)
	}
}

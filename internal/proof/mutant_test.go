package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/proof"
)

// planned is the plan of everything, which takes a second to compute.
var planned = sync.OnceValues(func() (proof.Sound, error) { return proof.Plan(1) })

func sound(t *testing.T) proof.Sound {
	t.Helper()
	sound, err := planned()
	require.NoError(t, err)
	return sound
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
		assert.NotEqual(t, rendered(t, original[0]), rendered(t, scenario), mutant.Name)
	}
}

// rendered is everything that a scenario puts into the mesh.
func rendered(t *testing.T, scenario catalogue.Scenario) string {
	t.Helper()
	var text strings.Builder
	for _, pieces := range [][]catalogue.Piece{scenario.Setup, scenario.Apply} {
		text.WriteString("\n---\n")
		for _, piece := range pieces {
			text.WriteString(contents(t, piece))
		}
	}
	replicas, err := json.Marshal(scenario.Replicas)
	require.NoError(t, err)
	return text.String() + string(replicas)
}

func contents(t *testing.T, piece catalogue.Piece) string {
	t.Helper()
	objects, err := manifests.Objects(piece.File)
	if piece.Route != nil {
		route, encodeErr := manifests.Encode(piece.Route)
		objects, err = append(objects[:0], route), encodeErr
	}
	require.NoError(t, err)
	text := ""
	for _, object := range objects {
		if len(piece.Only) > 0 && !slices.Contains(piece.Only, object.GetKind()) {
			continue
		}
		if piece.Change != nil {
			object, err = piece.Change(object)
			require.NoError(t, err, piece.File)
		}
		if object == nil {
			continue
		}
		if !piece.Lenient {
			require.NoError(t, manifests.Strict(object), piece.File)
		}
		line, err := object.MarshalJSON()
		require.NoError(t, err)
		text += string(line)
	}
	return text
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

package proof_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/proof/spoil"
	"github.com/wayproof/wayproof/internal/record"
)

func committed(t *testing.T) *proof.Matrix {
	t.Helper()
	text, err := os.ReadFile("../../docs/kill-matrix.json")
	require.NoError(t, err)
	matrix := new(proof.Matrix)
	require.NoError(t, json.Unmarshal(text, matrix))
	return matrix
}

const remedy = "play it (wayproof prove --focus) and take it over (wayproof prove matrix RUN)"

func TestThePageIsRenderedFromTheData(t *testing.T) {
	var page strings.Builder
	require.NoError(t, committed(t).Render(&page))
	text, err := os.ReadFile("../../docs/kill-matrix.md")
	require.NoError(t, err)
	assert.Equal(t, string(text), page.String(), "make it again: wayproof prove matrix")
}

func TestTheReadmeShowsTheShortTable(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	again, err := committed(t).Insert(string(page))
	require.NoError(t, err)
	assert.Equal(t, string(page), again, "make it again: wayproof prove matrix")
	_, err = committed(t).Insert("a page without a place for it")
	require.Error(t, err)
}

// No row is empty: each mutant was played as it is declared and made now, and
// killed each time, unless it is written down why not.
func TestEveryMutantHasARow(t *testing.T) {
	matrix, owed := committed(t), proof.Owed()
	for _, mutant := range proof.Mutants() {
		row, played := matrix.Result(mutant.Name)
		if reason, excused := owed[mutant.Name]; excused {
			assert.NotEmpty(t, reason, mutant.Name)
			assert.False(t, played && row.Killed() == len(row.Plays), "%s was killed each time: nothing is owed any more", mutant.Name)
		} else if assert.True(t, played, "%s has no row: %s", mutant.Name, remedy) && row.Fate == fate.Unplayable {
			assert.NotEmpty(t, row.Reason, mutant.Name)
		} else {
			assert.Equal(t, fate.Killed, row.Fate, mutant.Name)
			assert.Len(t, row.Plays, row.Killed(), "%s was not killed each time it was played", mutant.Name)
			assert.NotEmpty(t, row.Plays, mutant.Name)
		}
		if played {
			isAsDeclared(t, mutant, row)
		}
	}
}

func isAsDeclared(t *testing.T, mutant proof.Mutant, row proof.Row) {
	t.Helper()
	digest, err := mutant.Digest()
	require.NoError(t, err)
	assert.Equal(t, digest, row.Digest, "%s puts something else into the mesh: %s", mutant.Name, remedy)
	assert.Equal(t, mutant.Kills, row.Kills, "%s is declared otherwise: %s", mutant.Name, remedy)
	assert.Equal(t, mutant.Also, row.Also, "%s is declared otherwise: %s", mutant.Name, remedy)
	assert.Equal(t, mutant.Scenario, row.Scenario, mutant.Name)
}

// No column is empty: each promise was seen to be kept by a sound mesh and never
// to be broken, and killed a mutant, unless it is known, spared or written down
// why not.
func TestEveryPromiseHasAColumn(t *testing.T) {
	matrix, plan, owed := committed(t), sound(t), proof.Owed()
	for _, promise := range plan.Planned {
		heard := matrix.Sound[promise.ID]
		assert.Zero(t, heard[record.Violated], "%s is broken by the sound mesh", promise.ID)
		_, spared := proof.Spared()[promise.ID]
		known := slices.Contains(plan.Known, promise.ID)
		shown := (spared || known || len(matrix.Killers(promise.ID)) > 0) && (known || heard[record.Held] > 0)
		reason, excused := owed[promise.ID]
		assert.NotEqual(t, excused, shown, "%s: heard %q of the sound mesh, killed %v, owed %q (wayproof prove matrix --sound RUN, %s)",
			promise.ID, heard, matrix.Killers(promise.ID), reason, remedy)
	}
}

// What is owed is owed by something that there is.
func TestWhatIsOwedExists(t *testing.T) {
	owed := proof.Owed()
	for _, mutant := range proof.Mutants() {
		delete(owed, mutant.Name)
	}
	for _, promise := range sound(t).Planned {
		delete(owed, promise.ID)
	}
	assert.Empty(t, owed)
}

func TestEveryMutantOfTheRecordHasARow(t *testing.T) {
	matrix := committed(t)
	require.Len(t, matrix.Records, len(spoil.Mutants()), remedy)
	for i, mutant := range spoil.Mutants() {
		assert.Equal(t, mutant.Name, matrix.Records[i].Mutant)
		assert.Equal(t, matrix.Records[i].Trials, matrix.Records[i].Killed, mutant.Name)
		assert.Positive(t, matrix.Records[i].Trials, mutant.Name)
	}
}

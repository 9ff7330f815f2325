package proof_test

import (
	"encoding/json"
	"os"
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

// No row is empty: each mutant was played as it is declared, and killed. What
// could not be told on the machine of the run is rare.
func TestEveryMutantHasARow(t *testing.T) {
	matrix, open := committed(t), 0
	for _, mutant := range proof.Mutants() {
		result, played := matrix.Result(mutant.Name)
		if !assert.True(t, played, "%s has no row: %s", mutant.Name, remedy) {
			continue
		}
		assert.Equal(t, mutant.Kills, result.Kills, "%s is declared otherwise: %s", mutant.Name, remedy)
		assert.Equal(t, mutant.Also, result.Also, "%s is declared otherwise: %s", mutant.Name, remedy)
		assert.Equal(t, mutant.Scenario, result.Scenario, mutant.Name)
		if result.Fate == fate.Unplayable {
			assert.NotEmpty(t, result.Reason, mutant.Name)
			continue
		}
		if result.Fate == fate.Inconclusive {
			open++
			continue
		}
		assert.Equal(t, fate.Killed, result.Fate, mutant.Name)
	}
	assert.Len(t, matrix.Results, len(proof.Mutants()))
	assert.LessOrEqual(t, open, len(proof.Mutants())/50)
}

// No column is empty: without a mutant no promise is violated, unless it is
// listed as known. What could not be told on the machine of the run is rare.
func TestNoPromiseIsViolatedByTheSoundMesh(t *testing.T) {
	matrix, plan, open := committed(t), sound(t), 0
	for _, promise := range plan.Planned {
		assert.Contains(t, []record.Outcome{record.Held, record.ViolatedKnown, record.Unsupported, record.Inconclusive}, matrix.Sound[promise.ID],
			"%s: take a whole run over (wayproof prove matrix --sound RUN)", promise.ID)
		if matrix.Sound[promise.ID] == record.Inconclusive {
			open++
		}
	}
	assert.LessOrEqual(t, open, len(plan.Planned)/50)
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

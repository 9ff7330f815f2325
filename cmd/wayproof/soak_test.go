package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/record"
)

func TestASoakIsGreenOnlyWithEnoughVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		verdicts, violated int
		played             error
		code               int
		says               string
	}{
		"enough":              {200, 0, nil, exitHeld, ""},
		"too few":             {199, 0, nil, exitInconclusive, "199 verdicts after 3 rounds, 200 were wanted"},
		"none":                {0, 0, nil, exitInconclusive, "0 verdicts"},
		"a false alarm":       {200, 1, nil, exitViolated, "1 false alarms"},
		"one, then an error":  {20, 1, errors.New("no load pod"), exitViolated, "no load pod"},
		"an error":            {20, 0, errors.New("no load pod"), exitCouldNotRun, "no load pod"},
		"an error in the end": {200, 0, errors.New("no load pod"), exitCouldNotRun, "no load pod"},
	} {
		s := &soaking{flags: &soakFlags{verdicts: 200}, result: proof.Soak{Verdicts: c.verdicts, Violated: c.violated, Rounds: 3}}
		code, told := s.outcome(c.played)
		assert.Equal(t, c.code, code, name)
		if c.says == "" {
			assert.NoError(t, told, name)
			continue
		}
		assert.ErrorContains(t, told, c.says, name)
	}
}

// A soak's file ends in the data and on the page, and counts once however often
// it is given.
func TestASoakIsTakenIntoTheMatrix(t *testing.T) {
	dir := t.TempDir()
	readme := filepath.Join(dir, "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("<!-- kill matrix, by wayproof prove matrix -->\n<!-- end of kill matrix -->\n"), 0o600))
	one, other := filepath.Join(dir, "one"), filepath.Join(dir, "other")
	for _, run := range []string{one, other} {
		require.NoError(t, os.Mkdir(run, 0o755))
		require.NoError(t, writeJSON(filepath.Join(run, soakFile), proof.Soak{
			Schema: proof.Schema, Run: filepath.Base(run), Istio: "1.31", Rounds: 5, Verdicts: 100, Stages: 60,
			Outcomes: map[string]map[record.Outcome]int{"split": {record.Held: 100, record.Inconclusive: 2}},
		}))
	}
	require.NoError(t, writeMatrix(t.Context(), nil, matrixFlags{docs: dir, readme: readme, soaks: []string{one, other, one}}))
	matrix := &proof.Matrix{}
	require.NoError(t, readJSON(filepath.Join(dir, matrixFile), matrix))
	require.NotNil(t, matrix.Soak)
	assert.Equal(t, 200, matrix.Soak.Verdicts)
	assert.Equal(t, "one, other", matrix.Soak.Run)
	assert.InEpsilon(t, 0.0247, matrix.Soak.Bound, 1e-2)
	page, err := os.ReadFile(filepath.Join(dir, "kill-matrix.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "## False alarms\n\n200 verdicts in 10 rounds")
	assert.Contains(t, string(page), "0 of 120 stages had a false alarm, and it has one with probability at most 2.5 %")
	assert.Contains(t, string(page), "| split | 200 | 0 | 4 |")
}

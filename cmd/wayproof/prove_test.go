package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/peer"
	"github.com/wayproof/wayproof/internal/peer/table"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

func TestTheExitCodeIsThatOfTheWorstFate(t *testing.T) {
	for name, c := range map[string]struct {
		fates []fate.Fate
		code  int
		worst fate.Fate
	}{
		"all killed":               {[]fate.Fate{fate.Killed, fate.Unplayable}, exitHeld, fate.Killed},
		"one survived":             {[]fate.Fate{fate.Killed, fate.Survived, fate.Failed, fate.Inconclusive}, exitViolated, fate.Survived},
		"one was killed elsewhere": {[]fate.Fate{fate.Elsewhere, fate.Failed}, exitViolated, fate.Elsewhere},
		"one took others along":    {[]fate.Fate{fate.Killed, fate.Beyond}, exitViolated, fate.Beyond},
		"one was not played":       {[]fate.Fate{fate.Killed, fate.Failed, fate.Inconclusive}, exitCouldNotRun, fate.Failed},
		"none can be played here":  {[]fate.Fate{fate.Unplayable, fate.Unplayable}, exitInconclusive, fate.Unplayable},
		"one cannot be told":       {[]fate.Fate{fate.Killed, fate.Inconclusive}, exitInconclusive, fate.Inconclusive},
	} {
		var results []proof.Result
		for _, one := range c.fates {
			results = append(results, proof.Result{Fate: one})
		}
		code, worst := proveCode(results)
		assert.Equal(t, c.code, code, name)
		assert.Equal(t, c.worst, worst, name)
	}
}

func TestMutantsAreListedWithWhatMustKillThem(t *testing.T) {
	flags := &proveFlags{focus: "^split-"}
	all, err := flags.exhibits(1)
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, listMutants(&out, all))
	assert.Contains(t, out.String(), "split-60-40")
	assert.Contains(t, out.String(), "task4/split-70-30/independence")
	run := proving{seed: 1, exhibits: all}.run(flags)
	assert.Equal(t, `wayproof prove --seed 1 --focus "^split-"`, run.Command)
	ids := map[string]bool{}
	for _, promise := range run.Plan.Promises {
		assert.False(t, ids[promise.ID], "%s is in the plan twice", promise.ID)
		ids[promise.ID] = true
	}
}

// What a run found ends in the data, on the page and in the readme.
func TestAMatrixIsWritten(t *testing.T) {
	dir := t.TempDir()
	readme := filepath.Join(dir, "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("before\n<!-- kill matrix, by wayproof prove matrix -->\nold\n<!-- end of kill matrix -->\nafter\n"), 0o600))
	result := proof.Result{
		Mutant: "split-60-40", Title: "weights 60 and 40", Scenario: "task4/split-70-30", Fate: fate.Killed, Kills: []string{"share"},
		Seen: []proof.Seen{{Promise: "share", Kind: "split", Outcome: record.Violated, N: 839, Observed: "v1 60.1 %"}},
	}
	require.NoError(t, writeJSON(filepath.Join(dir, proveFile), proof.Report{Schema: proof.Schema, Results: []proof.Result{result}}))
	require.NoError(t, writeJSON(filepath.Join(dir, compareFile), table.Table{
		Rows: []table.Row{{Result: peer.Result{Mutant: "split-60-40", Verdict: peer.Passes}}},
	}))
	require.NoError(t, writeMatrix(t.Context(), []string{dir}, matrixFlags{docs: dir, readme: readme, seeds: 0}))
	peers, err := os.ReadFile(filepath.Join(dir, "compare.md"))
	require.NoError(t, err, "the table of peers quotes the matrix")
	assert.Contains(t, string(peers), "killed: share")
	page, err := os.ReadFile(filepath.Join(dir, "kill-matrix.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "| `split-60-40` | weights 60 and 40 | share | 839 | v1 60.1 % |")
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "before\n") && strings.HasSuffix(string(text), "after\n"))
	assert.NotContains(t, string(text), "old")
	require.Error(t, writeMatrix(t.Context(), []string{filepath.Join(dir, "none")}, matrixFlags{docs: dir, readme: readme}))
}

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
)

// What upstream lets pass is a finding, not a failure.
func TestTheExitCodeOfAComparison(t *testing.T) {
	passed := []peer.Outcome{{Test: "MeshHTTPRouteWeight", Passed: true}, {Test: "MeshHTTPRoute307Redirect"}}
	for name, c := range map[string]struct {
		sound   []peer.Outcome
		verdict peer.Verdict
		code    int
		says    string
	}{
		"one was let pass":            {passed, peer.Passes, exitHeld, ""},
		"one was killed":              {passed, peer.Killed, exitHeld, ""},
		"one cannot be told":          {passed, peer.Mute, exitHeld, ""},
		"one could not be asked":      {passed, peer.Failed, exitCouldNotRun, "split-60-40"},
		"the sound mesh fails a test": {[]peer.Outcome{{Test: "MeshHTTPRouteWeight"}}, peer.Failed, exitViolated, "MeshHTTPRouteWeight"},
	} {
		code, err := compareCode(table.Report{Sound: c.sound, Results: []peer.Result{{Mutant: "split-60-40", Verdict: c.verdict}}})
		assert.Equal(t, c.code, code, name)
		if c.says == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, c.says, name)
		}
	}
}

func TestPeersAreListedWithTheirTests(t *testing.T) {
	var out strings.Builder
	require.NoError(t, compare(t.Context(), &out, &compareFlags{list: true, focus: "^(split-60-40|route-leaks) "}))
	assert.Regexp(t, `1 +split-60-40 +weights 60 and 40 +also ours +MeshHTTPRouteWeight\n`, out.String())
	assert.Regexp(t, `2 +route-leaks .* upstream's alone +MeshFrontend, MeshFrontendHostname\n`, out.String())
	require.Error(t, compare(t.Context(), &out, &compareFlags{focus: "^nothing of the kind$"}))
	assert.Equal(t, `wayproof compare --focus "^split-"`, (&compareFlags{focus: "^split-"}).command())
}

// What a run found ends in the data and on the page, beside the kill matrix.
func TestATableIsWritten(t *testing.T) {
	dir := t.TempDir()
	require.ErrorIs(t, writeTable(nil, dir), os.ErrNotExist)
	require.NoError(t, writeJSON(filepath.Join(dir, matrixFile), proof.Matrix{Schema: proof.Schema, Results: []proof.Row{
		{Result: proof.Result{Mutant: "split-60-40", Fate: fate.Killed, Kills: []string{"share"}, Seconds: 9}},
	}}))
	run := filepath.Join(dir, "r1")
	require.NoError(t, os.Mkdir(run, 0o755))
	require.NoError(t, writeJSON(filepath.Join(run, compareFile), table.Report{Run: "r1", Results: []peer.Result{
		{Mutant: "split-60-40", Title: "weights 60 and 40", Verdict: peer.Passes, Seconds: 4},
	}}))
	require.NoError(t, writeTable([]string{run}, dir))
	page, err := os.ReadFile(filepath.Join(dir, "compare.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "| `split-60-40` | weights 60 and 40 | **passes** |  | 4 | killed: share | 9 |")
	require.NoError(t, writeTable(nil, dir), "again from the data alone")
	again, err := os.ReadFile(filepath.Join(dir, "compare.md"))
	require.NoError(t, err)
	assert.Equal(t, string(page), string(again))
}

package table_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
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

const remedy = "play it (make compare) and take it over (wayproof compare table RUN)"

// committed are the data and the page. Until the first run there is neither.
func committed(t *testing.T) (*table.Table, string) {
	t.Helper()
	text, missing := os.ReadFile("../../../docs/compare.json")
	page, noPage := os.ReadFile("../../../docs/compare.md")
	if errors.Is(missing, fs.ErrNotExist) && errors.Is(noPage, fs.ErrNotExist) {
		t.Skip("docs/compare.json and docs/compare.md are not there: upstream's suite was never played; " + remedy)
	}
	require.NoError(t, errors.Join(missing, noPage))
	made := new(table.Table)
	require.NoError(t, json.Unmarshal(text, made))
	return made, string(page)
}

func matrix(t *testing.T) *proof.Matrix {
	t.Helper()
	text, err := os.ReadFile("../../../docs/kill-matrix.json")
	require.NoError(t, err)
	made := new(proof.Matrix)
	require.NoError(t, json.Unmarshal(text, made))
	return made
}

func TestThePageIsRenderedFromTheData(t *testing.T) {
	made, page := committed(t)
	var again strings.Builder
	made.Compare(matrix(t))
	require.NoError(t, made.Render(&again))
	assert.Equal(t, page, again.String(), "make it again: wayproof compare table")
}

// A mutant of the source has a row, of a verdict about the tests that it names.
func TestEveryMutantHasARow(t *testing.T) {
	made, _ := committed(t)
	assert.Equal(t, peer.Version, made.Suite, remedy)
	require.Len(t, made.Rows, len(peer.Mutants()), remedy)
	for i, mutant := range peer.Mutants() {
		row := made.Rows[i]
		assert.Equal(t, mutant.Name, row.Mutant)
		assert.Equal(t, mutant.Title, row.Title, "%s is declared otherwise: %s", mutant.Name, remedy)
		assert.Equal(t, row.Verdict, peer.Judge(mutant, made.Sound, row.Tests), mutant.Name)
		assert.NotEqual(t, peer.Failed, row.Verdict, "%s: %s", mutant.Name, remedy)
	}
}

func TestOursIsTheKillMatrixs(t *testing.T) {
	made, _ := committed(t)
	before, err := json.Marshal(made.Rows)
	require.NoError(t, err)
	made.Compare(matrix(t))
	after, err := json.Marshal(made.Rows)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after), "make it again: wayproof compare table")
}

func TestTheSoundMeshPassesTheProfile(t *testing.T) {
	made, _ := committed(t)
	for _, test := range peer.Profile() {
		outcome, asked := peer.Of(made.Sound, test.Name)
		assert.True(t, asked, "%s: %s", test.Name, remedy)
		assert.True(t, outcome.Passed || test.Group == peer.Beside, "%s: %s", test.Name, outcome.Reason)
	}
}

func report(results ...peer.Result) table.Report {
	return table.Report{
		Run: "r1", Environment: record.Environment{Kubernetes: "v1", Istio: "1", Waypoint: "w", NodeProxy: "n"}, Results: results,
		Sound: []peer.Outcome{{Test: "MeshHTTPRouteWeight", Passed: true, Seconds: 3}},
	}
}

func result(mutant string, verdict peer.Verdict, tests ...peer.Outcome) peer.Result {
	return peer.Result{Mutant: mutant, Title: "defect", Verdict: verdict, Tests: tests, Seconds: 60}
}

func TestATableKeepsWhatIsKnown(t *testing.T) {
	made := &table.Table{}
	made.Merge(report(result("split-60-40", peer.Passes), result("split-65-35", peer.Passes), result("old", peer.Killed)))
	newer := report(result("split-65-35", peer.Killed), result("split-60-40", peer.Failed), result("split-75-25", peer.Failed))
	newer.Run, newer.Sound = "r2", nil
	made.Merge(newer)
	require.Len(t, made.Rows, 3)
	assert.Equal(t, []string{"r1", "r2"}, made.Runs)
	assert.Len(t, made.Sound, 1)
	for name, want := range map[string]peer.Verdict{"split-65-35": peer.Killed, "split-60-40": peer.Passes, "split-75-25": peer.Failed} {
		for _, row := range made.Rows {
			if row.Mutant == name {
				assert.Equal(t, want, row.Verdict, name)
			}
		}
	}
}

func TestThePageSaysWhatEachSideSaw(t *testing.T) {
	made := &table.Table{}
	made.Merge(report(
		result("split-65-35", peer.Passes, peer.Outcome{Test: "MeshHTTPRouteWeight", Passed: true}),
		result("split-50-50", peer.Killed, peer.Outcome{Test: "MeshHTTPRouteWeight", Reason: "v1 0.5 | <v2>"}),
		result("query-ignored", peer.Killed, peer.Outcome{Test: "MeshHTTPRouteQueryParamMatching", Reason: "wanted 404"}),
		result("redirect-307-as-302", peer.Mute),
	))
	made.Compare(&proof.Matrix{Results: []proof.Row{
		{Result: proof.Result{Mutant: "split-65-35", Fate: fate.Killed, Kills: []string{"share"}, Seconds: 120}},
		{Result: proof.Result{Mutant: "query-ignored", Fate: fate.Killed}},
	}})
	var page strings.Builder
	require.NoError(t, made.Render(&page))
	for _, want := range []string{
		"2 defects. Upstream kills 1 and lets 1 pass, in 2 minutes; ours kills 1, in 2 minutes.",
		"| `split-65-35` | defect | **passes** | MeshHTTPRouteWeight passed | 60 | killed: share | 120 |",
		"| `split-50-50` | defect | killed | MeshHTTPRouteWeight: v1 0.5 \\| &lt;v2> | 60 | not played |  |",
		"Of 2 upstream kills 1 and lets 0 pass, cannot tell 1 because the sound mesh fails the test.",
		"| `query-ignored` | defect | killed | MeshHTTPRouteQueryParamMatching: wanted 404 | 60 |\n",
		"| MeshHTTPRouteWeight | core | passed | 3.0 |",
		"| MeshBasic | core | **not asked** | 0.0 |",
		"| no mesh test is about mirrors | `mirror-90` ",
	} {
		assert.Contains(t, page.String(), want)
	}
}

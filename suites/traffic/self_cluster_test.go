//go:build cluster

package traffic

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The specs prove themselves: compiled once, they are run on the cluster against
// mutants, two at a time. The spec of the mutant's scenario fails, because a
// promise is violated and the mesh is to blame; the program says so by its exit
// code, and the other spec was played and passes.
func TestTheSpecsFailWhereAMutantIs(t *testing.T) {
	suite := compiled(t)
	for name, c := range map[string]struct{ focus, fails, promise string }{
		"":                {"gives v1 70 % and v2 30 % of the requests|gives v1 every request", "", ""},
		"split-60-40":     {"gives v1 70 % and v2 30 % of the requests|gives v1 every request", "gives v1 70 % and v2 30 % of the requests", "declared v1 70 %"},
		"redirect-301":    {"ask for Madrid|one path exactly", "sends clients that ask for Madrid to Amsterdam and no others", "status 301, want 302"},
		"retry-one-fewer": {"that is answered 503 up to three|retries are turned off", "repeats a request that is answered 503 up to three times", "gives up after three"},
	} {
		t.Run("mutant "+name, func(t *testing.T) {
			code, reports := runAgainst(t, suite, name, c.focus)
			passed, failed := results(reports)
			if c.fails == "" {
				assert.Equal(t, 0, code)
				assert.Empty(t, failed)
				assert.Len(t, passed, 2, "both specs were played")
				return
			}
			assert.Equal(t, 1, code)
			assert.Len(t, passed, 1, "the other spec was played, and passes")
			require.Len(t, failed, 1, "exactly one spec fails")
			require.Contains(t, failed, c.fails)
			assert.Contains(t, failed[c.fails], c.promise)
			assert.Contains(t, failed[c.fails], "VIOLATED (blame: mesh)")
		})
	}
}

func compiled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "traffic.test")
	output, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	return path
}

// runAgainst runs the compiled specs that the focus matches.
func runAgainst(t *testing.T, suite, mutant, focus string) (code int, reports []ginkgo.Report) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.CommandContext(t.Context(), suite, "-ginkgo.focus="+focus, "-ginkgo.json-report="+report, "-test.run=^TestTraffic$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), "MUTANT="+mutant, "KEEP=1")
	output, err := cmd.CombinedOutput()
	t.Log(string(output))
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		require.NoError(t, err)
	}
	text, err := os.ReadFile(report)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &reports))
	return cmd.ProcessState.ExitCode(), reports
}

// results are the specs that were played: which passed, and what those that
// failed said.
func results(reports []ginkgo.Report) (passed []string, failed map[string]string) {
	failed = map[string]string{}
	for _, report := range reports {
		for _, spec := range report.SpecReports {
			switch {
			case spec.State.Is(types.SpecStateFailureStates):
				failed[spec.LeafNodeText] = spec.Failure.Message
			case spec.State.Is(types.SpecStatePassed) && spec.LeafNodeType.Is(types.NodeTypeIt):
				passed = append(passed, spec.LeafNodeText)
			}
		}
	}
	return passed, failed
}

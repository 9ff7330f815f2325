package play

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/peer"
)

// spoken compiles the package that speaks as upstream does.
func spoken(t *testing.T) process {
	t.Helper()
	program := filepath.Join(t.TempDir(), "spec.test")
	output, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", program, "./testdata/spec").CombinedOutput()
	require.NoError(t, err, string(output))
	return process{program: program, log: &bytes.Buffer{}, tell: func(peer.Outcome) {}}
}

func TestOutcomesAreReadOffTheSuite(t *testing.T) {
	p := spoken(t)
	var told []string
	p.tell = func(o peer.Outcome) { told = append(told, o.Test) }
	outcomes, err := p.run(t.Context(), peer.SpecProfile, peer.Order{})
	require.NoError(t, err, "that tests fail is what was asked")
	names := []string{"MeshBasic", "MeshHTTPRouteMatching", "MeshHTTPRouteWeight", "MeshPorts", "MeshHTTPRouteRewritePath", "MeshFrontend"}
	assert.Equal(t, names, told)
	for i := range outcomes {
		assert.Equal(t, names[i], outcomes[i].Test)
		assert.GreaterOrEqual(t, outcomes[i].Seconds, 0.0)
	}
	assert.True(t, outcomes[0].Passed)
	assert.Empty(t, outcomes[0].Reason)
	assert.False(t, outcomes[1].Passed)
	assert.Regexp(t, `^[12]_request_to_'/v2/?': expected pod name to start with echo-v2, got echo-v1-7$`, outcomes[1].Reason)
	assert.Contains(t, outcomes[2].Reason, `weighted traffic of 0.5 not within tolerance`)
	for _, silent := range outcomes[3:] {
		assert.False(t, silent.Passed, silent.Test)
		assert.Empty(t, silent.Reason, "%s never got an answer: no verdict about the mesh", silent.Test)
	}
	assert.Contains(t, p.log.(*bytes.Buffer).String(), "timeout while waiting")
}

func TestASuiteThatDoesNotEndIsAnError(t *testing.T) {
	p := spoken(t)
	t.Setenv("SPEC", "dies")
	_, err := p.run(t.Context(), peer.SpecProfile, peer.Order{})
	require.ErrorContains(t, err, "did not end")
	t.Setenv("SPEC", "refuses")
	_, err = p.run(t.Context(), peer.SpecProfile, peer.Order{})
	require.ErrorContains(t, err, "CRDs version")
	aborted, abort := context.WithCancel(t.Context())
	abort()
	_, err = p.run(aborted, peer.SpecProfile, peer.Order{})
	require.Error(t, err)
	require.NoError(t, os.Remove(p.program))
	_, err = p.run(t.Context(), peer.SpecProfile, peer.Order{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

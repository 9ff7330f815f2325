package kind

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStateRoundTrip(t *testing.T) {
	dir := t.TempDir()
	known, err := readState(dir, "one")
	require.NoError(t, err)
	assert.Nil(t, known, "no cluster of that name is ours")

	want := &state{Cluster: "one", Created: true, Node: "n", Mesh: "m", Network: true, Kubeconfig: "/k"}
	require.NoError(t, want.write(dir))
	require.NoError(t, (&state{Cluster: "two"}).write(dir))
	known, err = readState(dir, "one")
	require.NoError(t, err)
	assert.Equal(t, want, known)

	require.NoError(t, forget(dir, "one"))
	known, err = readState(dir, "one")
	require.NoError(t, err)
	assert.Nil(t, known)
	known, err = readState(dir, "two")
	require.NoError(t, err)
	assert.NotNil(t, known, "another cluster is not forgotten")
	require.NoError(t, forget(dir, "one"), "twice does no harm")
}

func TestASpoiltStateIsNotTakenForAbsence(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(statePath(dir, "one"), []byte(`{"cluster":"o`), 0o600))
	_, err := readState(dir, "one")
	require.ErrorContains(t, err, "read what is known of cluster one")
}

// TestAHalfWrittenStateIsNotSeen: a run that is killed while it writes leaves
// the earlier state.
func TestAHalfWrittenStateIsNotSeen(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, (&state{Cluster: "one", Node: "before"}).write(dir))
	require.NoError(t, os.WriteFile(statePath(dir, "one")+".partial", []byte(`{"clu`), 0o600))
	known, err := readState(dir, "one")
	require.NoError(t, err)
	assert.Equal(t, "before", known.Node)
	require.NoError(t, (&state{Cluster: "one", Node: "after"}).write(dir))
	known, err = readState(dir, "one")
	require.NoError(t, err)
	assert.Equal(t, "after", known.Node)
}

// TestWhatIsAbandoned: only an aborted run takes a cluster away, and only one
// that never had a mesh.
func TestWhatIsAbandoned(t *testing.T) {
	broken := errors.New("broken")
	aborted, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		keep bool
		mesh string
	}{
		"failed by itself":   {t.Context(), false, ""},
		"kept":               {aborted, true, ""},
		"had a mesh already": {aborted, false, "m"},
	} {
		environment := environmentWith(t, Options{Cluster: "one", Keep: tc.keep})
		known := &state{Cluster: "one", Created: true, Mesh: tc.mesh}
		require.NoError(t, known.write(environment.stateDir()))
		// There is no provider: removing anything would panic.
		assert.Equal(t, broken, environment.abandon(tc.ctx, known, broken), name)
	}
}

// TestAFailureToForgetIsNotHidden: one file that is gone already says nothing
// about the other.
func TestAFailureToForgetIsNotHidden(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(statePath(dir, "one")+"/inside", 0o755)) // a full folder cannot be removed
	require.ErrorContains(t, forget(dir, "one"), "forget cluster one")
}

func TestAFailedChangeIsNotTakenForTheOldMesh(t *testing.T) {
	dir := t.TempDir()
	known := &state{Cluster: "one", Mesh: "old"}
	require.NoError(t, known.unsettle(dir))
	left, err := readState(dir, "one")
	require.NoError(t, err)
	assert.NotEqual(t, "old", left.Mesh, "the next up with the old options installs")
	assert.NotEmpty(t, left.Mesh, "an abort does not take it for a cluster that never had a mesh")

	fresh := &state{Cluster: "two"}
	require.NoError(t, fresh.unsettle(dir))
	assert.Empty(t, fresh.Mesh, "an abort while the first mesh is installed removes the cluster")
}

package build

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/image"
)

// saveSmall saves a set of tiny images.
func saveSmall(t *testing.T) (Set, string) {
	t.Helper()
	dir := t.TempDir()
	set := Set{
		Node: Hub + "/node:v1", NodeArchive: filepath.Join(dir, "node.tar"), NodeBase: "base", IstioVersion: "1.31-dev",
		Istio: map[string]string{"pilot": Hub + "/istio/pilot:1"}, Agent: Hub + "/agent:1",
		Layout: filepath.Join(dir, "layout"), AgentLayout: filepath.Join(dir, "agent"), Charts: filepath.Join(dir, "charts"),
	}
	require.NoError(t, os.WriteFile(set.NodeArchive, []byte("an archive of a node"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(set.Charts, "base"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(set.Charts, "base", "Chart.yaml"), []byte("name: base\n"), 0o400))
	file := []image.File{{Path: "/x", Body: []byte("x"), Mode: 0o755}}
	require.NoError(t, image.WriteLayout(set.Layout, []image.Spec{{Ref: set.Istio["pilot"], Files: file}}))
	require.NoError(t, image.WriteLayout(set.AgentLayout, []image.Spec{{Ref: set.Agent, Files: file}}))
	to := filepath.Join(t.TempDir(), "saved")
	require.NoError(t, Save(t.Context(), set, to))
	return set, to
}

func TestSaveAndOpen(t *testing.T) {
	set, dir := saveSmall(t)
	assert.True(t, IsSaved(dir))
	assert.False(t, IsSaved(t.TempDir()))
	opened, err := OpenSaved(dir)
	require.NoError(t, err)
	assert.Equal(t, set.Istio, opened.Istio)
	assert.Equal(t, set.Agent, opened.Agent)
	assert.FileExists(t, filepath.Join(dir, SavedCharts, "base", "Chart.yaml"))

	unpacked, err := image.Unpack(t.Context(), &image.Cache{Dir: t.TempDir()}, filepath.Join(dir, SavedImages))
	require.NoError(t, err)
	refs, err := image.Refs(unpacked)
	require.NoError(t, err)
	assert.Equal(t, []string{set.Istio["pilot"], set.Agent}, refs)

	require.NoError(t, Save(t.Context(), set, dir), "saving again over it")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 4, "no scratch folder stays")
}

func TestOpeningNoticesChanges(t *testing.T) {
	for _, name := range []string{SavedNode, SavedImages, filepath.Join(SavedCharts, "base", "Chart.yaml")} {
		_, dir := saveSmall(t)
		file := filepath.Join(dir, name)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.Chmod(file, 0o600))
		require.NoError(t, os.WriteFile(file, content[:len(content)-1], 0o600))
		_, err = OpenSaved(dir)
		require.ErrorContains(t, err, "save it again", "%s cut short", name)
		content[0] ^= 1
		require.NoError(t, os.WriteFile(file, content, 0o600))
		_, err = OpenSaved(dir)
		require.ErrorContains(t, err, "save it again", "one bit of %s", name)
		require.NoError(t, os.Remove(file))
		_, err = OpenSaved(dir)
		require.Error(t, err, "%s is missing", name)
	}
	_, err := OpenSaved(t.TempDir())
	require.ErrorContains(t, err, "wayproof images save")
}

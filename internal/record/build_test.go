package record

import (
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABuildHasAName(t *testing.T) {
	digest := func() string { return "d1" }
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	clean, modified := debug.BuildSetting{Key: "vcs.modified", Value: "false"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	assert.Equal(t, "0123456789ab", nameBuild([]debug.BuildSetting{revision, clean}, digest))
	assert.Equal(t, "0123456789ab, modified, program d1", nameBuild([]debug.BuildSetting{modified, revision}, digest))
	assert.Equal(t, "program d1", nameBuild(nil, digest), "of a tarball, or a build without a repository")
}

func TestTheHeadNamesTheBuildThatRecorded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir)
	require.NoError(t, err)
	require.NoError(t, w.WritePlan(Plan{}))
	run := Run{ID: "r"}
	require.NoError(t, w.WriteRun(&run))
	require.NoError(t, w.Close())
	reader, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, ownBuild(), reader.Run().Wayproof)
	assert.NotContains(t, reader.Run().Wayproof, "unknown")
	run.Wayproof = "another"
	require.NoError(t, w.WriteRun(&run))
	reader, err = Open(dir)
	require.NoError(t, err)
	assert.Equal(t, "another", reader.Run().Wayproof, "who recorded it stays")
}

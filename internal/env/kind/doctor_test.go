package kind

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/mesh"
)

func TestSourceFinding(t *testing.T) {
	for name, tc := range map[string]struct {
		images      string
		pull, build bool
		ok          bool
		says        string
	}{
		"auto pulls first":         {SourceAuto, true, true, true, "pulled"},
		"auto builds where needed": {SourceAuto, false, true, true, "built"},
		"auto is at its end":       {SourceAuto, false, false, false, "neither"},
		"pull insisted on":         {SourcePull, false, true, false, "pull was chosen"},
		"build insisted on":        {SourceBuild, true, false, false, "build was chosen"},
		"build where both go":      {SourceBuild, true, true, true, "built"},
		"an archive needs neither": {SourceArchive, false, false, true, "archive"},
		"nothing chosen":           {"", true, false, true, "pulled"},
	} {
		finding := environmentWith(t, Options{Images: tc.images}).sourceFinding(tc.pull, tc.build)
		assert.Equal(t, tc.ok, finding.OK, name)
		assert.Contains(t, finding.Detail, tc.says, name)
		assert.Equal(t, tc.ok, finding.Remedy == "", name)
		assert.Equal(t, mesh.Everything, finding.Needed, name)
	}
}

func TestDoctorKnowsClustersByWhatIsRemembered(t *testing.T) {
	environment := environmentWith(t, Options{Cluster: "one"})
	assert.Contains(t, environment.clusterFinding(t.Context()).Detail, "not there")
	require.NoError(t, (&state{Cluster: "one"}).write(environment.stateDir()))
	assert.Contains(t, environment.clusterFinding(t.Context()).Detail, "half made")
	require.NoError(t, (&state{Cluster: "one", Created: true, Kubeconfig: filepath.Join(t.TempDir(), "none")}).write(environment.stateDir()))
	gone := environment.clusterFinding(t.Context())
	assert.True(t, gone.OK, "up mends it")
	assert.Contains(t, gone.Detail, "no such file")
}

func TestProgramsThatAreMissingAreNamed(t *testing.T) {
	missing := program(t.Context(), "wayproof-no-such-program", "install it")
	assert.False(t, missing.OK)
	assert.Equal(t, "install it", missing.Remedy)
	assert.Equal(t, forBuilding, missing.Needed)
	assert.True(t, program(t.Context(), "go", "", "version").OK)
}

package kind

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/progress"
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

// TestDoctorAsksTheRegistriesThatAreUsed: those of the references, mirrors too.
func TestDoctorAsksTheRegistriesThatAreUsed(t *testing.T) {
	environment := environmentWith(t, Options{NodeImage: "mirror.example/node:v1", Agent: "agents.example/agent:1"})
	registries, err := environment.pulledFrom("mirror.example/istio")
	require.NoError(t, err)
	require.Len(t, registries, 3)
	metrics, err := name.ParseReference(metricsServer)
	require.NoError(t, err)
	assert.Equal(t, []string{"mirror.example", metrics.Context().RegistryStr(), "agents.example"},
		[]string{registries[0].RegistryStr(), registries[1].RegistryStr(), registries[2].RegistryStr()})
	_, err = environment.pulledFrom("no hub")
	require.ErrorContains(t, err, "no hub/pilot")

	var status int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	local, err := name.NewRegistry(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	for answer, ok := range map[int]bool{http.StatusOK: true, http.StatusUnauthorized: true, http.StatusNotFound: false} {
		status = answer
		assert.Equal(t, ok, registryFinding(t.Context(), local).OK, answer)
	}
	status = http.StatusOK
	environment.options.NodeImage = local.RegistryStr() + "/node:v1"
	source, err := environment.chooseSource(t.Context(), progress.New(&bytes.Buffer{}))
	require.NoError(t, err)
	assert.Equal(t, SourcePull, source, "a mirror of the node image is a registry")
}

func TestDoctorSaysWhenChartsAreOutOfReach(t *testing.T) {
	nothing := httptest.NewServer(http.NotFoundHandler())
	defer nothing.Close()
	environment := environmentWith(t, Options{Istio: "1.31.4", Charts: nothing.URL})
	found := environment.registryFindings(t.Context())
	require.Len(t, found, 1)
	assert.False(t, found[0].OK)
	assert.Contains(t, found[0].Check, "1.31.4")
	assert.Contains(t, found[0].Remedy, "--charts")
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

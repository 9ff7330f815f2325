package kind

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/progress"
)

// archiveOf writes an archive with one tiny image.
func archiveOf(t *testing.T, dir, file, ref string) {
	t.Helper()
	layout := filepath.Join(t.TempDir(), "layout")
	require.NoError(t, image.WriteLayout(layout, []image.Spec{{Ref: ref, Files: []image.File{{Path: "/x", Body: []byte(ref), Mode: 0o755}}}}))
	out, err := os.Create(filepath.Join(dir, file))
	require.NoError(t, err)
	defer out.Close()
	require.NoError(t, image.TarFolder(out, layout))
}

func environmentWith(t *testing.T, options Options) *Environment {
	t.Helper()
	return &Environment{options: options, cache: &image.Cache{Dir: t.TempDir()}}
}

func builtPlan() plan {
	return plan{source: SourceBuild, agent: standInPrefix + "agent:1", ambient: ambient.Options{
		StandIn: "abc", WaypointProxy: "upstream envoy", Images: map[string]string{
			ambient.Pilot: standInPrefix + "istio/pilot:1", ambient.Ztunnel: standInPrefix + "istio/ztunnel:1",
			ambient.ProxyV2: standInPrefix + "istio/proxyv2:1", ambient.MetricsServer: standInPrefix + "metrics-server:1",
		},
	}}
}

// overridden lays the environment's archives over what was built.
func overridden(t *testing.T, e *Environment, lines *progress.Lines) (plan, error) {
	t.Helper()
	over, err := e.overlays(t.Context(), SourceBuild)
	if err != nil {
		return plan{}, err
	}
	return builtPlan().override(over, lines)
}

func TestArchivesReplaceSingleComponents(t *testing.T) {
	dir := t.TempDir()
	archiveOf(t, dir, "ztunnel.tar", "docker.io/istio/ztunnel:1.31.4")
	archiveOf(t, dir, "agent.tar", "example.org/agent:mine")
	var out bytes.Buffer
	before := builtPlan()
	made, err := overridden(t, environmentWith(t, Options{Images: SourceBuild, Archive: dir}), progress.New(&out))
	require.NoError(t, err)

	assert.Equal(t, "docker.io/istio/ztunnel:1.31.4", made.ambient.Images[ambient.Ztunnel])
	assert.Equal(t, before.ambient.Images[ambient.Pilot], made.ambient.Images[ambient.Pilot], "the others stay")
	assert.Equal(t, "example.org/agent:mine", made.agent)
	assert.Empty(t, made.ambient.StandIn, "the real ztunnel is no stand-in")
	assert.Equal(t, "upstream envoy", made.ambient.WaypointProxy)
	assert.Len(t, made.layouts, 2)
	assert.Equal(t, SourceArchive, made.componentSources()[ambient.Ztunnel])
	assert.Equal(t, SourceBuild, made.componentSources()[ambient.Pilot])
	assert.Contains(t, out.String(), "ztunnel comes from an archive: docker.io/istio/ztunnel:1.31.4")
}

func TestAnArchivedStandInIsStillOne(t *testing.T) {
	dir := t.TempDir()
	archiveOf(t, dir, "ztunnel.tar", standInPrefix+"istio/ztunnel:other")
	archiveOf(t, dir, "proxyv2.tar", "docker.io/istio/proxyv2:1.31.4")
	made, err := overridden(t, environmentWith(t, Options{Archive: dir}), progress.New(&bytes.Buffer{}))
	require.NoError(t, err)
	assert.Equal(t, "abc", made.ambient.StandIn)
	assert.Empty(t, made.ambient.WaypointProxy, "Istio's own proxy needs no adapter")
}

func TestArchivesThatReplaceNothingAreRefused(t *testing.T) {
	dir := t.TempDir()
	lines := progress.New(&bytes.Buffer{})
	environment := environmentWith(t, Options{Archive: dir})
	_, err := overridden(t, environment, lines)
	require.ErrorContains(t, err, "no image archive (*.tar)")
	archiveOf(t, dir, "other.tar", "example.org/other:1")
	_, err = overridden(t, environment, lines)
	require.ErrorContains(t, err, "example.org/other:1 replaces no component")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other.tar"), []byte("short"), 0o600))
	_, err = overridden(t, environment, lines)
	require.ErrorContains(t, err, "other.tar")
}

// TestSingleArchivesBesideASavedSet: they lie over it too.
func TestSingleArchivesBesideASavedSet(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"wayproof-images.json", build.SavedNode, build.SavedImages} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	environment := environmentWith(t, Options{Images: SourceArchive, Archive: dir})
	over, err := environment.overlays(t.Context(), SourceArchive)
	require.NoError(t, err)
	assert.Empty(t, over)
	archiveOf(t, dir, "ztunnel.tar", ztunnelRef)
	over, err = environment.overlays(t.Context(), SourceArchive)
	require.NoError(t, err)
	require.Len(t, over, 1)
	assert.Equal(t, filepath.Join(dir, "ztunnel.tar"), over[0].archive)
}

func TestComponentOf(t *testing.T) {
	for ref, want := range map[string]string{
		"docker.io/istio/ztunnel:1.31.4": "ztunnel", "ztunnel": "ztunnel", "localhost:5000/ztunnel": "ztunnel",
		"r/istio/pilot@sha256:0123": "pilot", "r/istio/pilot:1@sha256:0123": "pilot",
	} {
		assert.Equal(t, want, componentOf(ref), ref)
	}
}

func TestSourcesThatCannotBe(t *testing.T) {
	lines := progress.New(&bytes.Buffer{})
	_, err := environmentWith(t, Options{Images: SourceArchive}).resolve(t.Context(), lines)
	require.ErrorContains(t, err, "IMAGES=archive:DIR")
	_, err = environmentWith(t, Options{Images: "magic"}).resolve(t.Context(), lines)
	require.ErrorContains(t, err, `unknown image source "magic"`)
	_, err = environmentWith(t, Options{}).archived(t.Context())
	require.ErrorContains(t, err, "wayproof images save")
}

func TestWhatWasGivenIsCheckedBeforeAnythingIsMade(t *testing.T) {
	lines := progress.New(&bytes.Buffer{})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ztunnel.tar"), []byte("short"), 0o600))
	_, err := environmentWith(t, Options{Images: SourceBuild, Archive: dir}).resolve(t.Context(), lines)
	require.ErrorContains(t, err, "ztunnel.tar")
	_, err = environmentWith(t, Options{Images: SourceBuild, Mesh: ambient.Options{ValuesFile: "none.yaml"}}).resolve(t.Context(), lines)
	require.ErrorContains(t, err, "read chart values")

	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "apiVersion: v1\nentries: {base: [{name: base, version: 1.31.4, urls: [base.tgz]}]}\n")
	}))
	defer empty.Close()
	_, err = environmentWith(t, Options{Images: SourcePull, Istio: "9.9.9", Charts: empty.URL, Agent: "a/b:1"}).resolve(t.Context(), lines)
	require.ErrorContains(t, err, "no version 9.9.9 of chart base; the newest there are: 1.31.4")
}

func TestMeshKeyFollowsItsOptions(t *testing.T) {
	values := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(values, []byte("istiod: {}"), 0o600))
	options := builtPlan().ambient
	plain, err := meshKey(options)
	require.NoError(t, err)
	options.ValuesFile = values
	first, err := meshKey(options)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(values, []byte("istiod: {a: b}"), 0o600))
	second, err := meshKey(options)
	require.NoError(t, err)
	assert.NotEqual(t, plain, first)
	assert.NotEqual(t, first, second, "the file's content counts, not its name")
	options.ValuesFile = filepath.Join(t.TempDir(), "none")
	_, err = meshKey(options)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPulledNamesWhatIsReleased(t *testing.T) {
	environment := environmentWith(t, Options{Istio: "1.30.2", Hub: "mirror.example/istio", Agent: "mirror.example/agent:1", NodeImage: "mirror.example/node:v1"})
	made, err := environment.pulled(t.Context(), progress.New(&bytes.Buffer{}))
	require.NoError(t, err)
	assert.Equal(t, "mirror.example/node:v1", made.node)
	assert.Empty(t, made.nodeArchive, "the engine pulls it")
	assert.Empty(t, made.layouts, "nothing is loaded")
	assert.Equal(t, "1.30.2", made.ambient.Version)
	assert.Empty(t, made.ambient.StandIn)
}

package image

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func specs() []Spec {
	return []Spec{
		{
			Ref: "wayproof.local/one:1", Files: []File{{Path: "/one", Body: []byte("one"), Mode: 0o755}},
			Entrypoint: []string{"/one"}, Cmd: []string{"serve"}, User: "65532:65532", Env: []string{"PATH=/"}, WorkDir: "/tmp", StopSignal: "SIGINT",
		},
		{Ref: "wayproof.local/two:1", Files: []File{{Path: "/two", Body: []byte("two"), Mode: 0o644}}},
	}
}

func writtenLayout(t *testing.T, specs ...Spec) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	require.NoError(t, WriteLayout(dir, specs))
	return dir
}

func digestOf(t *testing.T, found v1.Image) string {
	t.Helper()
	digest, err := found.Digest()
	require.NoError(t, err)
	return digest.String()
}

func TestLayoutRoundTrip(t *testing.T) {
	dir := writtenLayout(t, specs()...)
	refs, err := Refs(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"wayproof.local/one:1", "wayproof.local/two:1"}, refs)

	found, err := Find(dir, "wayproof.local/one:1")
	require.NoError(t, err)
	config, err := found.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, []string{"/one"}, config.Config.Entrypoint)
	assert.Equal(t, []string{"serve"}, config.Config.Cmd)
	assert.Equal(t, "65532:65532", config.Config.User)
	assert.Equal(t, "SIGINT", config.Config.StopSignal)
	assert.Equal(t, "linux/amd64", config.OS+"/"+config.Architecture)

	again, err := Find(writtenLayout(t, specs()...), "wayproof.local/one:1")
	require.NoError(t, err)
	assert.Equal(t, digestOf(t, found), digestOf(t, again), "made twice, the same image")

	_, err = Find(dir, "wayproof.local/three:1")
	require.ErrorContains(t, err, "no image wayproof.local/three:1")
}

func TestMergeHoldsAllImages(t *testing.T) {
	one, two := writtenLayout(t, specs()[0]), writtenLayout(t, specs()[1])
	merged := filepath.Join(t.TempDir(), "merged")
	require.NoError(t, Merge(merged, one, two))
	refs, err := Refs(merged)
	require.NoError(t, err)
	assert.Equal(t, []string{"wayproof.local/one:1", "wayproof.local/two:1"}, refs)
	before, err := Find(two, "wayproof.local/two:1")
	require.NoError(t, err)
	after, err := Find(merged, "wayproof.local/two:1")
	require.NoError(t, err)
	assert.Equal(t, digestOf(t, before), digestOf(t, after))
}

func TestPushCopiesAnImageUnchanged(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	made, err := Make(specs()[0])
	require.NoError(t, err)
	to := strings.TrimPrefix(server.URL, "http://") + "/agent:test"
	require.NoError(t, Push(t.Context(), made, to))
	there, err := crane.Digest(to)
	require.NoError(t, err)
	assert.Equal(t, digestOf(t, made), there)

	require.ErrorContains(t, Push(t.Context(), made, "no registry"), "REGISTRY/NAME:TAG")
}

func TestRefsOfNoLayout(t *testing.T) {
	_, err := Refs(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

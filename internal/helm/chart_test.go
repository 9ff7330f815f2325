package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
)

// archive packs a chart of one ConfigMap, as a repository would serve it.
func archive(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	files := tar.NewWriter(compressed)
	for name, text := range map[string]string{
		"demo/Chart.yaml":         "apiVersion: v2\nname: demo\nversion: 1.2.3\n",
		"demo/values.yaml":        "word: default\n",
		"demo/templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo}\ndata: {word: {{ .Values.word }}, kube: {{ .Capabilities.KubeVersion }}}\n",
	} {
		require.NoError(t, files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}))
		_, err := files.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, files.Close())
	require.NoError(t, compressed.Close())
	return packed.Bytes()
}

// repository serves an index and the archive, and counts what is asked of it.
func repository(t *testing.T, packed []byte, digest string) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/charts/index.yaml":
			_, _ = fmt.Fprintf(w, "apiVersion: v1\nentries:\n  demo:\n  - {apiVersion: v2, name: demo, version: 1.2.3, digest: %s, urls: [demo-1.2.3.tgz]}\n", digest)
		case "/charts/demo-1.2.3.tgz":
			_, _ = w.Write(packed)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server, &asked
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func TestAChartOfARepositoryIsFetchedOnce(t *testing.T) {
	packed := archive(t)
	server, asked := repository(t, packed, digestOf(packed))
	source := Source{Repo: server.URL + "/charts", Name: "demo", Version: "1.2.3", Cache: t.TempDir()}
	for range 2 {
		loaded, err := source.Load(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "demo", loaded.Name())
	}
	assert.EqualValues(t, 2, asked.Load(), "index and archive, then nothing")
}

func TestWhatARepositoryCanGetWrong(t *testing.T) {
	packed := archive(t)
	server, _ := repository(t, packed, digestOf([]byte("another")))
	good := Source{Repo: server.URL + "/charts", Name: "demo", Version: "1.2.3", Cache: t.TempDir()}
	for name, tc := range map[string]struct {
		source Source
		want   string
	}{
		"tampered":        {good, "the index says"},
		"unknown version": {Source{Repo: good.Repo, Name: "demo", Version: "9.9.9", Cache: good.Cache}, "no version 9.9.9 of chart demo; the newest there are: 1.2.3"},
		"unknown chart":   {Source{Repo: good.Repo, Name: "nope", Version: "1.2.3", Cache: good.Cache}, "the newest there are: none"},
		"no index":        {Source{Repo: server.URL + "/nothing", Name: "demo", Version: "1.2.3", Cache: good.Cache}, "read index"},
		"no cache":        {Source{Repo: good.Repo, Name: "demo", Version: "1.2.3"}, "all needed"},
		"no path":         {Source{Path: filepath.Join(t.TempDir(), "nope")}, "load chart"},
	} {
		_, err := tc.source.Load(t.Context())
		assert.ErrorContains(t, err, tc.want, name)
	}
	left, err := filepath.Glob(filepath.Join(good.Cache, "*.tgz"))
	require.NoError(t, err)
	assert.Empty(t, left, "nothing wrong stays in the cache")
}

func TestRender(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.tgz")
	require.NoError(t, os.WriteFile(file, archive(t), 0o600))
	want := Release{Name: "r", Namespace: "n", Source: Source{Path: file}, Values: map[string]any{"word": "ours"}}
	text, err := Render(t.Context(), want, "v1.36.3")
	require.NoError(t, err)
	assert.Contains(t, text, "word: ours")
	assert.Contains(t, text, "kube: v1.36.3")
	_, err = Render(t.Context(), want, "nonsense")
	assert.ErrorContains(t, err, "nonsense")
}

func TestDigestSeesChartAndValues(t *testing.T) {
	one := &chart.Chart{Raw: []*chart.File{{Name: "a", Data: []byte("1")}, {Name: "b", Data: []byte("2")}}}
	same := &chart.Chart{Raw: []*chart.File{{Name: "b", Data: []byte("2")}, {Name: "a", Data: []byte("1")}}}
	other := &chart.Chart{Raw: []*chart.File{{Name: "a", Data: []byte("1")}, {Name: "b", Data: []byte("3")}}}
	digest := func(c *chart.Chart, values map[string]any) string {
		d, err := Digest(c, values)
		require.NoError(t, err)
		assert.Len(t, d, 40)
		return d
	}
	assert.Equal(t, digest(one, nil), digest(same, nil))
	assert.NotEqual(t, digest(one, nil), digest(other, nil))
	assert.NotEqual(t, digest(one, map[string]any{"a": 1}), digest(one, map[string]any{"a": 2}))
}

func TestPlanFor(t *testing.T) {
	last := func(status release.Status, digest string) *release.Release {
		return &release.Release{Info: &release.Info{Status: status}, Labels: map[string]string{digestLabel: digest}}
	}
	assert.Equal(t, doInstall, planFor(nil, "d"))
	assert.Equal(t, doInstall, planFor(last(release.StatusUninstalled, "d"), "d"))
	assert.Equal(t, doNothing, planFor(last(release.StatusDeployed, "d"), "d"))
	assert.Equal(t, doUpgrade, planFor(last(release.StatusDeployed, "other"), "d"))
	for _, status := range []release.Status{release.StatusFailed, release.StatusPendingInstall, release.StatusPendingUpgrade, release.StatusUninstalling, release.StatusUnknown} {
		assert.Equal(t, doRepair, planFor(last(status, "d"), "d"), status)
	}
}

//go:build cluster

package kind

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
)

// localRegistry is a registry that nodes reach at an address of this machine,
// and the engine at the loopback address, where it needs no certificate.
type localRegistry struct {
	host, local string

	mu        sync.Mutex
	manifests map[string]int // reads of manifests, by repository
}

// serveImages starts a registry with everything that was built, under the
// names that a release has.
func serveImages(t *testing.T, set build.Set) *localRegistry {
	t.Helper()
	listener, err := net.Listen("tcp4", ":0") //nolint:gosec // nodes have to reach it
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	served := &localRegistry{host: ownAddress(t) + ":" + port, local: "127.0.0.1:" + port, manifests: map[string]int{}}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: served.count(registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(t.TempDir())), registry.Logger(log.New(io.Discard, "", 0))))}}
	server.Start()
	t.Cleanup(server.Close)

	for name, ref := range set.Istio {
		served.push(t, set.Layout, ref, "istio/"+name+":"+release)
	}
	served.push(t, set.Layout, set.MetricsServer, strings.TrimPrefix(metricsServer, "registry.k8s.io/"))
	served.push(t, set.AgentLayout, set.Agent, "agent:"+release)
	node, err := tarball.ImageFromPath(set.NodeArchive, nil)
	require.NoError(t, err)
	require.NoError(t, image.Push(t.Context(), node, served.local+"/node:"+set.Kubernetes))
	served.mu.Lock()
	defer served.mu.Unlock()
	clear(served.manifests) // pushing looks too
	return served
}

// ownAddress is an address of this machine that containers reach and that
// container tools take for a local registry's: a private one.
func ownAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, address := range addresses {
		if own, ok := address.(*net.IPNet); ok && own.IP.To4() != nil && own.IP.IsPrivate() {
			return own.IP.String()
		}
	}
	t.Skip("this machine has no private address under which nodes could reach a registry")
	return ""
}

func (r *localRegistry) push(t *testing.T, layout, ref, as string) {
	t.Helper()
	found, err := image.Find(layout, ref)
	require.NoError(t, err)
	require.NoError(t, image.Push(t.Context(), repacked(t, found), r.local+"/"+as))
}

// repacked is the same image in other blobs: the nodes have those that build
// made in their store already, and would fetch none of them.
func repacked(t *testing.T, found v1.Image) v1.Image {
	t.Helper()
	config, err := found.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.RootFS.DiffIDs, config.History = nil, nil
	base, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), config)
	require.NoError(t, err)
	layers, err := found.Layers()
	require.NoError(t, err)
	for _, layer := range layers {
		plain, err := image.Plain(layer.Uncompressed)
		require.NoError(t, err)
		base, err = mutate.AppendLayers(base, plain)
		require.NoError(t, err)
	}
	return base
}

func (r *localRegistry) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		repository, _, found := strings.Cut(strings.TrimPrefix(request.URL.Path, "/v2/"), "/manifests/")
		if found && request.Method == http.MethodGet {
			r.mu.Lock()
			r.manifests[repository]++
			r.mu.Unlock()
		}
		next.ServeHTTP(w, request)
	})
}

func (r *localRegistry) served(repository string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.manifests[repository]
}

func (r *localRegistry) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	for _, reads := range r.manifests {
		total += reads
	}
	return total
}

// kindConfig is a cluster of one node whose containerd speaks plain HTTP to
// the registry, also in the place of the one that metrics-server lives in.
func (r *localRegistry) kindConfig(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	for _, host := range []string{r.host, "registry.k8s.io"} {
		hosts := fmt.Sprintf("server = %q\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", "http://"+r.host, "http://"+r.host)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, host), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, host, "hosts.toml"), []byte(hosts), 0o644))
	}
	return fmt.Appendf(nil, `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {podSubnet: 10.244.0.0/16}
containerdConfigPatches:
  - |-
    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = "/etc/containerd/certs.d"
nodes:
  - role: control-plane
    extraMounts: [{hostPath: %q, containerPath: /etc/containerd/certs.d, readOnly: true}]
`, dir)
}

// serveCharts packs Istio's charts as its release does and serves them as a
// Helm repository.
func serveCharts(t *testing.T, set build.Set) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"base", "istio-control/istio-discovery", "istio-cni", "ztunnel"} {
		loaded, err := loader.Load(filepath.Join(set.Charts, filepath.FromSlash(name)))
		require.NoError(t, err, path.Base(name))
		asReleased(loaded)
		_, err = chartutil.Save(loaded, dir)
		require.NoError(t, err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	index, err := repo.IndexDirectory(dir, server.URL)
	require.NoError(t, err)
	require.NoError(t, index.WriteFile(filepath.Join(dir, "index.yaml"), 0o644))
	return server.URL
}

// asReleased gives a chart a release's version and image tag.
func asReleased(loaded *chart.Chart) {
	loaded.Metadata.Version, loaded.Metadata.AppVersion = release, release
	for _, file := range loaded.Raw {
		if file.Name == chartutil.ValuesfileName {
			file.Data = bytes.ReplaceAll(file.Data, []byte("tag: latest"), []byte("tag: "+release))
		}
	}
}

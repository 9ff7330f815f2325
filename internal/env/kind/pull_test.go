//go:build cluster

package kind

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/record"
)

// release is what the local registry and chart repository call what was built.
const release = "1.31.0"

// TestPull brings a cluster of one node up from a registry and a chart
// repository that serve what build made, under released-looking names: the
// code that runs is the one that pulls from the real ones.
func TestPull(t *testing.T) {
	source, err := build.FindSource()
	require.NoError(t, err)
	cache, err := image.UserCache()
	require.NoError(t, err)
	lines := progress.New(os.Stderr)
	set, err := (&build.Builder{Source: source, Cache: cache, Progress: lines}).Make(t.Context())
	require.NoError(t, err)
	registry := serveImages(t, set)
	charts := serveCharts(t, set)

	kubeconfig := filepath.Join(t.TempDir(), "config")
	environment, err := New(Options{
		Cluster: "wayproof-pull", Kubeconfig: kubeconfig, Config: registry.kindConfig(t), Images: SourcePull,
		Istio: release, Hub: registry.host + "/istio", Charts: charts,
		NodeImage: registry.local + "/node:" + set.Kubernetes, Agent: registry.host + "/agent:" + release,
		Mesh: ambient.Options{ValuesFile: withoutDNSCapture(t)},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		require.NoError(t, environment.Down(ctx, lines))
		_, err := environment.command(ctx, "image", "rm", environment.plan.node)
		require.NoError(t, err, "the engine keeps what it pulled")
		assertGone(t, environment, kubeconfig)
	})
	require.NoError(t, environment.Up(t.Context(), lines))

	described, err := environment.Describe(t.Context())
	require.NoError(t, err)
	assertPulled(t, registry, described)
	assertWaypoint(t, environment)
	assert.Positive(t, registry.served("istio/proxyv2"), "the waypoint's proxy was pulled")

	before, began := registry.total(), time.Now()
	require.NoError(t, environment.Up(t.Context(), lines))
	t.Logf("second up: %s", time.Since(began))
	assert.Equal(t, before, registry.total(), "a healthy cluster pulls nothing")
}

// withoutDNSCapture is a values file: the node proxy that is served here as
// Istio's is the stand-in, which has no DNS proxy.
func withoutDNSCapture(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, []byte("cni: {ambient: {dnsCapture: false}}\n"), 0o600))
	return file
}

func assertPulled(t *testing.T, registry *localRegistry, described record.Environment) {
	t.Helper()
	for _, repository := range []string{"istio/pilot", "istio/install-cni", "istio/ztunnel", "metrics-server/metrics-server"} {
		assert.Positive(t, registry.served(repository), "%s was pulled", repository)
	}
	assert.Equal(t, 1, described.Nodes)
	for _, component := range described.Components {
		t.Log(component)
		if strings.Contains(component.Image, "istio") {
			assert.Equal(t, SourcePull, component.Source, component.Name)
			assert.Contains(t, component.Image, registry.host+"/istio/")
			assert.Contains(t, component.Image, ":"+release)
		}
	}
}

const waypoint = `apiVersion: v1
kind: Namespace
metadata: {name: wayproof-pull, labels: {istio-discovery: enabled}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: wayproof-pull, labels: {istio.io/waypoint-for: service}}
spec:
  gatewayClassName: istio-waypoint
  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
`

func assertWaypoint(t *testing.T, environment *Environment) {
	t.Helper()
	cluster, err := kube.Connect(t.Context(), environment.Kubeconfig(), environment.Context())
	require.NoError(t, err)
	manifests, err := kube.Decode("waypoint.yaml", strings.NewReader(waypoint))
	require.NoError(t, err)
	_, err = cluster.Apply(t.Context(), kube.Owner{Run: "pull"}, manifests)
	require.NoError(t, err)
	require.NoError(t, cluster.AwaitDeployment(t.Context(), kube.Ref{Namespace: "wayproof-pull", Name: "waypoint"}, 2*time.Minute))
}

func assertGone(t *testing.T, environment *Environment, kubeconfig string) {
	t.Helper()
	left, err := environment.command(context.Background(), "ps", "-aq", "--filter", "label=io.x-k8s.kind.cluster="+environment.options.Cluster)
	require.NoError(t, err)
	assert.Empty(t, left)
	known, err := readState(environment.stateDir(), environment.options.Cluster)
	require.NoError(t, err)
	assert.Nil(t, known)
	assert.NoFileExists(t, kubeconfig, "it came with the cluster")
}

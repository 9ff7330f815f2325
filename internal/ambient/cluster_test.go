//go:build cluster

package ambient

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/kube"
)

func TestTheMeshIsWellAndDescribed(t *testing.T) {
	cluster, err := kube.Connect(t.Context(), os.Getenv("KUBECONFIG"), "")
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, Healthy(t.Context(), cluster))
	took := time.Since(began)
	assert.Less(t, took, healthyWithin)

	described, err := Describe(t.Context(), cluster)
	require.NoError(t, err)
	t.Logf("healthy in %s; %+v", took, described)
	assert.Equal(t, cluster.Version(), described.Kubernetes)
	assert.NotEmpty(t, described.Istio)
	assert.Regexp(t, `^v1\.`, described.GatewayAPI)
	assert.Contains(t, []string{"standard", "experimental"}, described.Channel)
	assert.Regexp(t, `^(stand-in|ztunnel) .`, described.NodeProxy)
	assert.NotEmpty(t, described.Waypoint)
	names := map[string]bool{}
	for _, component := range described.Components {
		names[component.Name] = true
		assert.NotEmpty(t, component.Source, component)
	}
	for _, name := range []string{Pilot, InstallCNI, Ztunnel, MetricsServer, "kube-apiserver"} {
		assert.True(t, names[name], name)
	}
}

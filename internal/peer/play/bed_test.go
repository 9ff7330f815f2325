package play

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/peer"
)

func TestTheBedIsUpstreamsNamespaces(t *testing.T) {
	decoded, err := kube.DecodeFile(files, "bed.yaml")
	require.NoError(t, err)
	var names []string
	for _, manifest := range decoded {
		home, err := manifests.Decode[corev1.Namespace](manifest.Object)
		require.NoError(t, err)
		names = append(names, home.Name)
		assert.Equal(t, map[string]string{ambient.DiscoveryLabel: ambient.DiscoveryEnabled, "istio.io/dataplane-mode": "ambient"}, home.Labels)
	}
	assert.Equal(t, []string{peer.Namespace, peer.Consumer}, names)
}

func TestTheWaypointIsOfUpstreamsNamespace(t *testing.T) {
	decoded, err := kube.DecodeFile(files, "waypoint.yaml")
	require.NoError(t, err)
	require.Len(t, decoded, 1)
	require.NoError(t, manifests.Strict(decoded[0].Object))
	gateway, err := manifests.Decode[gatewayv1.Gateway](decoded[0].Object)
	require.NoError(t, err)
	assert.Equal(t, peer.Namespace+"/"+waypoint, gateway.Namespace+"/"+gateway.Name)
}

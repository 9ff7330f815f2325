//go:build cluster

package existing

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/kube"
)

func TestDoctorOnAClusterThatWayproofMade(t *testing.T) {
	cluster, err := kube.Connect(t.Context(), os.Getenv("KUBECONFIG"), "")
	require.NoError(t, err)
	findings := Doctor(t.Context(), cluster, Options{AgentImage: "r/a:1", Namespaces: []string{"wayproof-doctor-test", "default"}})
	byCheck := map[string]Finding{}
	for _, finding := range findings {
		t.Log(finding.OK, finding)
		byCheck[finding.Check] = finding
	}
	for _, check := range []string{"kubernetes", "gateway api", "istio", "node proxy", "istio-cni", "tracing provider", "discovery selectors", "metrics api", "rights", "agent image", "left-over policies", "namespace wayproof-doctor-test"} {
		assert.True(t, byCheck[check].OK, check)
	}
	assert.False(t, byCheck["namespace default"].OK)
	for _, finding := range findings {
		if !finding.OK {
			assert.NotEmpty(t, finding.Remedy, finding.Check)
		}
	}
}

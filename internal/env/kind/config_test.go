package kind

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof"
	"github.com/wayproof/wayproof/internal/engine"
)

// patched decodes the patches of one kind of kubeadm configuration.
func patched(t *testing.T, config *v1alpha4.Cluster, kind string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, patch := range config.KubeadmConfigPatches {
		var decoded map[string]any
		require.NoError(t, yaml.UnmarshalStrict([]byte(patch), &decoded))
		if decoded["kind"] != kind {
			continue
		}
		maps.Copy(all, decoded)
	}
	return all
}

func TestAWholeMachineGetsNoPatches(t *testing.T) {
	config, err := clusterConfig(wayproof.KindConfig, engine.Machine{SysResource: true})
	require.NoError(t, err)
	assert.Empty(t, config.KubeadmConfigPatches)
	require.Len(t, config.ContainerdConfigPatches, 1, "the file's own")
	assert.Contains(t, config.ContainerdConfigPatches[0], "stats_collect_period")
	require.Len(t, config.Nodes, 3)
	assert.Equal(t, v1alpha4.ControlPlaneRole, config.Nodes[0].Role)
}

func TestOnlyWhatIsDetectedIsPatched(t *testing.T) {
	config, err := clusterConfig(wayproof.KindConfig, engine.Machine{SysResource: true, CgroupV1: true})
	require.NoError(t, err)
	assert.Equal(t, false, patched(t, config, "KubeletConfiguration")["failCgroupV1"])
	assert.NotContains(t, patched(t, config, "KubeletConfiguration"), "featureGates")
	assert.Empty(t, patched(t, config, "KubeProxyConfiguration"))

	config, err = clusterConfig(wayproof.KindConfig, engine.Machine{Withheld: []int{24}})
	require.NoError(t, err)
	kubelet := patched(t, config, "KubeletConfiguration")
	assert.Equal(t, map[string]any{"KubeletInUserNamespace": true}, kubelet["featureGates"])
	assert.NotContains(t, kubelet, "failCgroupV1")
	assert.Equal(t, map[string]any{"maxPerCore": 0., "min": 0., "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
		patched(t, config, "KubeProxyConfiguration")["conntrack"])
	assert.Contains(t, strings.Join(config.ContainerdConfigPatches, ""), "restrict_oom_score_adj = true")
}

func TestPatchesOfTheFileStay(t *testing.T) {
	file := []byte("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nkubeadmConfigPatches: ['{kind: ClusterConfiguration}']\nnodes: [{role: control-plane}]\n")
	config, err := clusterConfig(file, engine.Machine{SysResource: true, CgroupV1: true})
	require.NoError(t, err)
	assert.Len(t, config.KubeadmConfigPatches, 2)
	assert.Len(t, config.Nodes, 1)

	_, err = clusterConfig([]byte("kind: Cluster\nnodez: []\n"), engine.Machine{})
	require.ErrorContains(t, err, "nodez", "a slip is an error, not a default")
}

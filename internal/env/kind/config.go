package kind

import (
	"fmt"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/engine"
)

// cgroupV1Patch lets a kubelet start on cgroup v1, which it refuses by default.
const cgroupV1Patch = `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
failCgroupV1: false
`

// The patches for a machine that withholds CAP_SYS_RESOURCE are those that a
// rootless kind needs: the kubelet must not insist on kernel settings,
// kube-proxy must not raise connection-tracking limits, and containerd must
// not lower out-of-memory scores.
const (
	kubeletPatch = `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
featureGates:
  KubeletInUserNamespace: true
`
	proxyPatch = `kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
conntrack:
  maxPerCore: 0
  min: 0
  tcpEstablishedTimeout: 0s
  tcpCloseWaitTimeout: 0s
`
	containerdPatch = `[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
`
)

// clusterConfig is the file's configuration with what this machine needs.
func clusterConfig(file []byte, machine engine.Machine) (*v1alpha4.Cluster, error) {
	config := &v1alpha4.Cluster{}
	if err := yaml.UnmarshalStrict(file, config); err != nil {
		return nil, fmt.Errorf("read the kind configuration: %w", err)
	}
	if machine.CgroupV1 {
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, cgroupV1Patch)
	}
	if !machine.SysResource {
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, kubeletPatch, proxyPatch)
		config.ContainerdConfigPatches = append(config.ContainerdConfigPatches, containerdPatch)
	}
	return config, nil
}

package build

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/image"
)

func someInputs() inputs {
	return inputs{
		upstream: Binaries{Dir: "/cache/bin", Key: "0123456789abcdef"}, root: "/cache/root", istio: "/mod/istio",
		envoy: "/cache/envoy", adapter: "/cache/adapter", nodeproxy: "/cache/nodeproxy",
		netfilter: []image.File{{Path: "/usr/sbin/iptables", From: "/cache/root/usr/sbin/iptables"}},
		kubeadm:   []string{"registry.k8s.io/kube-apiserver:v1", "registry.k8s.io/coredns/coredns:v1.14.2", "registry.k8s.io/pause:3.10.2", "registry.k8s.io/etcd:3.6.8-0"},
	}
}

func paths(spec image.Spec) map[string]string {
	from := map[string]string{}
	for _, file := range spec.Files {
		from[file.Path] = file.From
	}
	return from
}

func TestControlPlaneMakesWhatKubeadmNames(t *testing.T) {
	specs, err := someInputs().controlPlane("registry.k8s.io/pause:3.10")
	require.NoError(t, err)
	byRef := map[string]image.Spec{}
	for _, spec := range specs {
		byRef[spec.Ref] = spec
	}
	assert.Len(t, byRef, 5, "kubeadm's four and the pause image of containerd")
	assert.Equal(t, "/cache/bin/kube-apiserver", paths(byRef["registry.k8s.io/kube-apiserver:v1"])["/usr/local/bin/kube-apiserver"])
	assert.Empty(t, byRef["registry.k8s.io/kube-apiserver:v1"].Entrypoint, "its manifest gives the whole command")
	assert.Equal(t, []string{"/coredns"}, byRef["registry.k8s.io/coredns/coredns:v1.14.2"].Entrypoint)
	assert.Contains(t, paths(byRef["registry.k8s.io/etcd:3.6.8-0"]), "/usr/local/bin/etcdctl")

	in := someInputs()
	in.kubeadm = []string{"registry.k8s.io/pause:3.10"}
	specs, err = in.controlPlane("registry.k8s.io/pause:3.10")
	require.NoError(t, err)
	assert.Len(t, specs, 1, "the same pause image is made once")
}

func TestAnImageThatNobodyCanMakeIsNamed(t *testing.T) {
	in := someInputs()
	in.kubeadm = append(in.kubeadm, "registry.k8s.io/kube-novelty:v2")
	_, err := in.controlPlane("registry.k8s.io/pause:3.10")
	require.EqualError(t, err, "kubeadm wants image registry.k8s.io/kube-novelty:v2, which wayproof does not know how to make")
}

func TestKubeProxyCarriesNetfilter(t *testing.T) {
	spec, err := someInputs().kubeadmSpec("registry.k8s.io/kube-proxy:v1")
	require.NoError(t, err)
	assert.Contains(t, paths(spec), "/usr/sbin/iptables")
}

func TestIstioSpecs(t *testing.T) {
	set := Set{Istio: map[string]string{}}
	for _, name := range istioImages {
		set.Istio[name] = Hub + "/istio/" + name + ":t"
	}
	specs := someInputs().istioSpecs(set)
	require.Len(t, specs, len(istioImages))
	for i, name := range istioImages {
		assert.Equal(t, set.Istio[name], specs[i].Ref)
	}
	pilot, cni, proxy, ztunnel := specs[0], specs[1], specs[2], specs[3]
	assert.Equal(t, "1337:1337", pilot.User)
	assert.Contains(t, paths(cni), "/opt/cni/bin/istio-cni")
	assert.Contains(t, paths(cni), "/usr/sbin/iptables")
	assert.Equal(t, "/cache/adapter", paths(proxy)["/usr/local/bin/envoy"], "the adapter stands in Envoy's place")
	assert.Equal(t, "/cache/envoy", paths(proxy)["/usr/local/bin/envoy-upstream"])
	assert.Equal(t, "/cache/nodeproxy", paths(ztunnel)["/usr/local/bin/ztunnel"])
}

package ambient

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/internal/gatewayapi"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

func TestReadVersion(t *testing.T) {
	for said, want := range map[string]string{
		"1.31.0-9f0bdb1a3b2c-Clean\n":       "1.31.0",
		"1.31.0-alpha.2-9f0bdb1a3b2c-Clean": "1.31.0-alpha.2",
		"1.31-dev-9f0bdb1a3b2c-Modified":    "1.31",
		"unknown-unknown-unknown":           "v7",
		"":                                  "v7",
		"1.27.3-abc-Clean":                  "1.27.3",
		"1.31.0-rc.0-abc-Clean":             "1.31.0-rc.0",
	} {
		assert.Equal(t, want, readVersion(said, "v7"), said)
	}
}

func TestTagOf(t *testing.T) {
	for image, want := range map[string]string{
		"hub:5000/ztunnel":        "unknown",
		"hub:5000/ztunnel:1.31.0": "1.31.0",
		"hub/z:1@sha256:ab":       "1",
		"hub/z@sha256:ab":         "sha256:ab",
		"":                        "unknown",
	} {
		assert.Equal(t, want, tagOf(image), image)
	}
}

func TestNodeProxyOf(t *testing.T) {
	assert.Equal(t, "ztunnel 1.31.0", nodeProxyOf(nil, "hub/ztunnel:1.31.0"))
	said := nodeProxyOf(map[string]string{NodeProxyNote: Options{StandIn: "1.2.3"}.nodeProxy()}, "hub/ztunnel:v7")
	assert.Equal(t, "stand-in 1.2.3", said)
	assert.Contains(t, said, record.StandIn)
}

func TestComponentsAreListedOnceWithTheirSource(t *testing.T) {
	pod := func(namespace, image string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Image: image}}},
		}
	}
	seen := map[string]record.Component{}
	sources := map[string]string{"pilot": "build"}
	collect(seen, pod(NamespaceIstio, "hub/pilot:v7"), sources)
	collect(seen, pod(NamespaceIstio, "hub/pilot:v7"), sources)
	collect(seen, pod("kube-system", "registry.k8s.io/etcd:3.6.8"), sources)
	collect(seen, pod(NamespaceIstio, "hub/other:1"), nil)
	assert.Equal(t, map[string]record.Component{
		"hub/pilot:v7":               {Name: "pilot", Version: "v7", Image: "hub/pilot:v7", Source: "build"},
		"registry.k8s.io/etcd:3.6.8": {Name: "etcd", Version: "3.6.8", Image: "registry.k8s.io/etcd:3.6.8", Source: "node"},
		"hub/other:1":                {Name: "other", Version: "1", Image: "hub/other:1", Source: "existing"},
	}, seen)
}

func TestMetricsServerCarriesTheImageAndItsArguments(t *testing.T) {
	manifests, err := Options{
		Images:  map[string]string{MetricsServer: "wayproof.local/metrics-server:v0.9.0"},
		Digests: map[string]string{MetricsServer: "sha256:ab"},
	}.metricsServer()
	require.NoError(t, err)
	found := false
	for _, manifest := range manifests {
		if manifest.Object.GetKind() != "Deployment" {
			continue
		}
		found = true
		var deployment appsv1.Deployment
		require.NoError(t, kube.Into(manifest.Object, &deployment))
		container := deployment.Spec.Template.Spec.Containers[0]
		assert.Equal(t, "wayproof.local/metrics-server:v0.9.0", container.Image)
		assert.Equal(t, "sha256:ab", deployment.Spec.Template.Annotations[ImageDigestNote])
		assert.Subset(t, container.Args, []string{
			"--kubelet-insecure-tls", "--metric-resolution=15s", "--kubelet-preferred-address-types=InternalIP",
		})
	}
	assert.True(t, found)
}

func TestOptionsSayWhatIsMissing(t *testing.T) {
	image := map[string]string{MetricsServer: "hub/m:1"}
	for name, tc := range map[string]struct {
		options Options
		want    string
	}{
		"no charts":  {Options{Images: image}, "neither a charts directory nor an istio version"},
		"no metrics": {Options{ChartsDir: "x"}, "no metrics-server image"},
		"channel":    {Options{ChartsDir: "x", Images: image, Channel: "beta"}, `"beta"`},
	} {
		_, err := tc.options.withDefaults()
		assert.ErrorContains(t, err, tc.want, name)
	}
	options, err := Options{Version: "1.31.0", Images: image}.withDefaults()
	require.NoError(t, err)
	assert.Equal(t, ReleaseRepository, options.Repository)
	assert.Equal(t, DefaultZtunnel, options.ZtunnelNamespace)
}

func TestRetryIsReadOffTheSchema(t *testing.T) {
	for channel, want := range map[gatewayapi.Channel]bool{gatewayapi.Standard: false, gatewayapi.Experimental: true} {
		manifests, err := gatewayapi.Definitions(channel)
		require.NoError(t, err)
		for _, manifest := range manifests {
			if manifest.Object.GetName() == "httproutes.gateway.networking.k8s.io" {
				assert.Equal(t, want, hasRetry(manifest.Object), channel)
			}
		}
	}
}

package ambient

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/internal/helm"
	"github.com/wayproof/wayproof/internal/kube"
)

// chartsDir is where the bill of materials has Istio's charts.
func chartsDir(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "istio.io/istio")
	command.Dir = filepath.Join("..", "..", "images", "upstream")
	out, err := command.Output()
	require.NoError(t, err, "find the istio module")
	var module struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &module))
	return filepath.Join(module.Dir, "manifests", "charts")
}

func ours(t *testing.T) Options {
	t.Helper()
	options, err := Options{
		ChartsDir: chartsDir(t),
		Hub:       "wayproof.local",
		Tag:       "v7",
		Images:    map[string]string{MetricsServer: "wayproof.local/metrics-server:v0.9.0"},
	}.withDefaults()
	require.NoError(t, err)
	return options
}

// rendered is every object that the four charts give under the options.
func rendered(t *testing.T, options Options) map[string]*unstructured.Unstructured {
	t.Helper()
	releases, err := options.releases()
	require.NoError(t, err)
	objects := map[string]*unstructured.Unstructured{}
	for _, release := range releases {
		text, err := helm.Render(t.Context(), release, "v1.36.3")
		require.NoError(t, err, release.Name)
		manifests, err := kube.Decode(release.Name, strings.NewReader(text))
		require.NoError(t, err, release.Name)
		for _, manifest := range manifests {
			objects[manifest.String()] = manifest.Object
		}
	}
	return objects
}

func as[T any](t *testing.T, objects map[string]*unstructured.Unstructured, name string) T {
	t.Helper()
	require.Contains(t, objects, name)
	var typed T
	require.NoError(t, kube.Into(objects[name], &typed))
	return typed
}

func TestZtunnelUnderTheStandIn(t *testing.T) {
	options := ours(t)
	options.StandIn = "1.0.0"
	objects := rendered(t, options)
	set := as[appsv1.DaemonSet](t, objects, "DaemonSet ztunnel/ztunnel")
	container := set.Spec.Template.Spec.Containers[0]
	assert.Equal(t, "wayproof.local/ztunnel:v7", container.Image, "no variant after the tag")
	assert.Equal(t, []string{"proxy", "ztunnel"}, container.Args)
	assert.Equal(t, corev1.PullIfNotPresent, container.ImagePullPolicy)
	assert.Equal(t, "100m", container.Resources.Requests.Cpu().String())
	assert.Equal(t, "64Mi", container.Resources.Requests.Memory().String())
	assert.Equal(t, "stand-in 1.0.0", set.Annotations[NodeProxyNote])
	env := map[string]string{}
	for _, variable := range container.Env {
		env[variable.Name] = variable.Value
	}
	assert.Equal(t, "istiod.istio-system.svc:15012", env["CA_ADDRESS"])
	assert.Equal(t, "istiod.istio-system.svc:15012", env["XDS_ADDRESS"])
	assert.Equal(t, "true", env["ISTIO_META_ENABLE_HBONE"], "the ambient profile is in force")
}

func TestDNSCaptureFollowsTheNodeProxy(t *testing.T) {
	for standIn, want := range map[string]string{"": "true", "1.0.0": "false"} {
		options := ours(t)
		options.StandIn = standIn
		config := as[corev1.ConfigMap](t, rendered(t, options), "ConfigMap istio-cni/istio-cni-config")
		assert.Equal(t, want, config.Data["AMBIENT_DNS_CAPTURE"], "stand-in %q", standIn)
		assert.Equal(t, "true", config.Data["AMBIENT_ENABLED"])
	}
}

func TestIstiodMirrorsTheWorkshop(t *testing.T) {
	options := ours(t)
	options.WaypointProxy = "upstream envoy 1.40.0 + adapter"
	options.Images[ProxyV2] = "wayproof.local/waypoint:abc"
	objects := rendered(t, options)

	mesh := as[corev1.ConfigMap](t, objects, "ConfigMap istio-system/istio").Data["mesh"]
	assert.Contains(t, mesh, "istio-discovery: enabled")
	assert.Contains(t, mesh, "enableTracing: true")
	assert.Contains(t, mesh, "name: otel")
	assert.Contains(t, mesh, "service: otel-collector.istio-system.svc.cluster.local")
	assert.Contains(t, mesh, "port: 4317")
	assert.Contains(t, mesh, `ISTIO_META_ENABLE_HBONE: "true"`)

	deployment := as[appsv1.Deployment](t, objects, "Deployment istio-system/istiod")
	container := deployment.Spec.Template.Spec.Containers[0]
	assert.Equal(t, "wayproof.local/pilot:v7", container.Image)
	assert.Equal(t, "50m", container.Resources.Requests.Cpu().String())
	assert.Equal(t, "upstream envoy 1.40.0 + adapter", deployment.Annotations[WaypointProxyNote])
	env := map[string]string{}
	for _, variable := range container.Env {
		env[variable.Name] = variable.Value
	}
	assert.Equal(t, "true", env["PILOT_ENABLE_AMBIENT"])
	assert.Contains(t, env["CA_TRUSTED_NODE_ACCOUNTS"], "ztunnel/ztunnel")

	injector := as[corev1.ConfigMap](t, objects, "ConfigMap istio-system/istio-sidecar-injector").Data["values"]
	var global struct {
		Global struct {
			Proxy    struct{ Image string }
			Waypoint struct {
				Resources struct{ Requests map[string]string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(injector), &global))
	assert.Equal(t, "wayproof.local/waypoint:abc", global.Global.Proxy.Image)
	assert.Equal(t, "100m", global.Global.Waypoint.Resources.Requests["cpu"], "the autoscaler's unit")
	for name := range objects {
		assert.NotContains(t, name, "HorizontalPodAutoscaler")
	}
}

func TestImagesReplaceSingleOnes(t *testing.T) {
	options := ours(t)
	options.Images[Ztunnel] = "archive.local/z:1"
	options.Images[Pilot] = "archive.local/p:1"
	options.Images[InstallCNI] = "archive.local/c:1"
	objects := rendered(t, options)
	assert.Equal(t, "archive.local/z:1", imageOf(as[appsv1.DaemonSet](t, objects, "DaemonSet ztunnel/ztunnel").Spec.Template.Spec))
	assert.Equal(t, "archive.local/c:1", imageOf(as[appsv1.DaemonSet](t, objects, "DaemonSet istio-cni/istio-cni-node").Spec.Template.Spec))
	assert.Equal(t, "archive.local/p:1", imageOf(as[appsv1.Deployment](t, objects, "Deployment istio-system/istiod").Spec.Template.Spec))
}

// TestAnImageThatChangedUnderItsNameRollsThePods: the reference stays, so the
// template has to change by the digest.
func TestAnImageThatChangedUnderItsNameRollsThePods(t *testing.T) {
	options := ours(t)
	options.Digests = map[string]string{Ztunnel: "sha256:z", Pilot: "sha256:p", InstallCNI: "sha256:c"}
	objects := rendered(t, options)
	annotations := as[appsv1.DaemonSet](t, objects, "DaemonSet ztunnel/ztunnel").Spec.Template.Annotations
	assert.Equal(t, "sha256:z", annotations[ImageDigestNote])
	assert.Contains(t, annotations, "prometheus.io/scrape", "the chart's own stay")
	assert.Equal(t, "sha256:c", as[appsv1.DaemonSet](t, objects, "DaemonSet istio-cni/istio-cni-node").Spec.Template.Annotations[ImageDigestNote])
	assert.Equal(t, "sha256:p", as[appsv1.Deployment](t, objects, "Deployment istio-system/istiod").Spec.Template.Annotations[ImageDigestNote])
}

func TestImageHub(t *testing.T) {
	options := ours(t)
	hub, err := options.ImageHub(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "wayproof.local", hub)

	options.Hub, options.Tag = "", "v7"
	hub, err = options.ImageHub(t.Context())
	require.NoError(t, err)
	image := imageOf(as[appsv1.DaemonSet](t, rendered(t, options), "DaemonSet ztunnel/ztunnel").Spec.Template.Spec)
	assert.Contains(t, image, hub+"/ztunnel:v7", "it is what the chart itself pulls from")

	options.ChartsDir = t.TempDir()
	_, err = options.ImageHub(t.Context())
	require.Error(t, err)
}

func TestZtunnelNamespaceIsTrusted(t *testing.T) {
	options := ours(t)
	options.ZtunnelNamespace = "node-proxies"
	objects := rendered(t, options)
	require.Contains(t, objects, "DaemonSet node-proxies/ztunnel")
	for _, variable := range as[appsv1.Deployment](t, objects, "Deployment istio-system/istiod").Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "CA_TRUSTED_NODE_ACCOUNTS" {
			assert.Equal(t, "node-proxies/ztunnel", variable.Value)
		}
	}
}

func TestValuesFileIsLaidOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, []byte("ztunnel: {logLevel: debug, resources: {requests: {cpu: 30m}}}\n"), 0o600))
	options := ours(t)
	options.ValuesFile = file
	container := as[appsv1.DaemonSet](t, rendered(t, options), "DaemonSet ztunnel/ztunnel").Spec.Template.Spec.Containers[0]
	assert.Equal(t, "30m", container.Resources.Requests.Cpu().String())
	assert.Equal(t, "64Mi", container.Resources.Requests.Memory().String())
	assert.Contains(t, container.Env, corev1.EnvVar{Name: "RUST_LOG", Value: "debug"})

	require.NoError(t, os.WriteFile(file, []byte("pilot: {}\n"), 0o600))
	_, err := options.releases()
	assert.ErrorContains(t, err, `no chart "pilot"`)
}

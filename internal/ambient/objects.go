package ambient

import (
	"bytes"
	_ "embed" // the metrics-server manifest
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/e2e-framework/klient/k8s"

	"github.com/wayproof/wayproof/internal/kube"
)

//go:embed metrics-server.yaml
var metricsServerYAML []byte

// Run is the run label of what belongs to the environment and not to a run.
const Run = "environment"

// owner applies the environment's objects. kube-system belongs to the cluster,
// and the metrics server's place is there.
func owner() kube.Owner { return kube.Owner{Run: Run, Guest: []string{"kube-system"}} }

// metricsServer is the manifest with the image put in.
func (o Options) metricsServer() ([]kube.Manifest, error) {
	manifests, err := kube.Decode("metrics-server.yaml", bytes.NewReader(metricsServerYAML))
	if err != nil {
		return nil, err
	}
	for _, manifest := range manifests {
		if manifest.Object.GetKind() != "Deployment" {
			continue
		}
		containers, _, err := unstructured.NestedSlice(manifest.Object.Object, "spec", "template", "spec", "containers")
		if err != nil || len(containers) != 1 {
			return nil, fmt.Errorf("metrics-server manifest: want one container, found %d: %w", len(containers), err)
		}
		container, _ := containers[0].(map[string]any)
		container["image"] = o.Images[MetricsServer]
		template := []string{"spec", "template"}
		err = unstructured.SetNestedSlice(manifest.Object.Object, containers, append(template, "spec", "containers")...)
		if digest := o.Digests[MetricsServer]; digest != "" {
			err = errors.Join(err, unstructured.SetNestedField(manifest.Object.Object, digest, append(template, "metadata", "annotations", ImageDigestNote)...))
		}
		if err != nil {
			return nil, fmt.Errorf("put image into metrics-server manifest: %w", err)
		}
	}
	return manifests, nil
}

// namespaces are Istio's own, visible to istiod by the discovery label.
func (o Options) namespaces() ([]kube.Manifest, error) {
	var objects []k8s.Object
	for _, name := range []string{NamespaceIstio, NamespaceCNI, o.ZtunnelNamespace} {
		objects = append(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name:   name,
			Labels: map[string]string{DiscoveryLabel: DiscoveryEnabled},
		}})
	}
	return kube.Typed("mesh namespaces", objects...)
}

// sourcesName is the ConfigMap that remembers where images came from.
const sourcesName = "wayproof-images"

func (o Options) sources() ([]kube.Manifest, error) {
	return kube.Typed("image sources", &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: sourcesName, Namespace: NamespaceIstio},
		Data:       o.Sources,
	})
}

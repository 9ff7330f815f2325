package ambient

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// Describe reads off the cluster what is under test. Name is left to the
// environment. What cannot be found out stays empty or says "unknown", except
// for the parts without which there is no ambient mesh: those are errors.
func Describe(ctx context.Context, cluster *kube.Cluster) (record.Environment, error) {
	crd, err := definition(ctx, cluster)
	if err != nil {
		return record.Environment{}, err
	}
	ztunnel, err := FindZtunnel(ctx, cluster)
	if err != nil {
		return record.Environment{}, err
	}
	nodes, err := cluster.Set().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return record.Environment{}, fmt.Errorf("list nodes: %w", err)
	}
	control, err := controlPlane(ctx, cluster)
	if err != nil {
		return record.Environment{}, err
	}
	components, err := components(ctx, cluster, ztunnel.Namespace)
	if err != nil {
		return record.Environment{}, err
	}
	return record.Environment{
		Kubernetes: cluster.Version(),
		Istio:      control.version,
		GatewayAPI: crd.GetAnnotations()[bundleVersion],
		Channel:    crd.GetAnnotations()[bundleChannel],
		NodeProxy:  nodeProxyOf(ztunnel.Annotations, imageOf(ztunnel.Spec.Template.Spec)),
		Waypoint:   control.waypoint,
		Nodes:      len(nodes.Items),
		Components: components,
		Lacks:      lacks(ctx, cluster, crd),
	}, nil
}

// Annotations by which the Gateway API's definitions say what they are.
const (
	bundleVersion = "gateway.networking.k8s.io/bundle-version"
	bundleChannel = "gateway.networking.k8s.io/channel"
)

// definition is that of HTTPRoute, which stands for its channel.
func definition(ctx context.Context, cluster *kube.Cluster) (*unstructured.Unstructured, error) {
	const name = "httproutes.gateway.networking.k8s.io"
	crd, err := cluster.Read(ctx, kube.KindCRD, kube.Ref{Name: name})
	if err != nil {
		return nil, err
	}
	if crd == nil {
		return nil, fmt.Errorf("gateway api is not installed: no definition %s", name)
	}
	return crd, nil
}

type control struct {
	version  string
	waypoint string
}

// controlPlane asks istiod itself for its version: the tag of an image says
// little where the image was built here.
func controlPlane(ctx context.Context, cluster *kube.Cluster) (control, error) {
	pods, err := cluster.PodsBy(ctx, NamespaceIstio, "app=istiod")
	if err != nil {
		return control{}, err
	}
	if len(pods) == 0 {
		return control{}, fmt.Errorf("no istiod in namespace %s", NamespaceIstio)
	}
	image := imageOf(pods[0].Spec)
	version := tagOf(image)
	said, err := cluster.ProxyGet(ctx, kube.Port{Pod: kube.Ref{Namespace: NamespaceIstio, Name: pods[0].Name}, Number: 15014}, "/version")
	if err == nil {
		version = readVersion(string(said), version)
	}
	return control{version: version, waypoint: waypointOf(ctx, cluster, tagOf(image))}, nil
}

// readVersion takes istiod's own "version-revision-status" unless the build
// was given none.
func readVersion(said, otherwise string) string {
	said = strings.TrimSpace(said)
	if said == "" || strings.HasPrefix(said, "unknown") {
		return otherwise
	}
	version, _, _ := strings.Cut(said, "-")
	if rest, ok := strings.CutPrefix(said, version+"-"); ok && (strings.HasPrefix(rest, "alpha") || strings.HasPrefix(rest, "beta") || strings.HasPrefix(rest, "rc")) {
		stage, _, _ := strings.Cut(rest, "-")
		version += "-" + stage
	}
	return version
}

func waypointOf(ctx context.Context, cluster *kube.Cluster, tag string) string {
	deployment, err := cluster.Read(ctx, kube.KindDeployment, istiod)
	if err == nil && deployment != nil {
		if note := deployment.GetAnnotations()[WaypointProxyNote]; note != "" {
			return note
		}
	}
	return "istio proxy " + tag
}

func nodeProxyOf(annotations map[string]string, image string) string {
	if note := annotations[NodeProxyNote]; note != "" {
		return note
	}
	return "ztunnel " + tagOf(image)
}

func imageOf(spec corev1.PodSpec) string {
	if len(spec.Containers) == 0 {
		return ""
	}
	return spec.Containers[0].Image
}

// tagOf is what follows the last colon of a reference, or its digest.
func tagOf(image string) string {
	name, digest, _ := strings.Cut(image, "@")
	colon := strings.LastIndex(name, ":")
	if colon > strings.LastIndex(name, "/") {
		return name[colon+1:]
	}
	if digest != "" {
		return digest
	}
	return "unknown"
}

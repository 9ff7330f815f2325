package ambient

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// components lists the images that run in the cluster's and the mesh's own
// namespaces, each once, by name.
func components(ctx context.Context, cluster *kube.Cluster, ztunnel string) ([]record.Component, error) {
	sources, err := imageSources(ctx, cluster)
	if err != nil {
		return nil, err
	}
	seen := map[string]record.Component{}
	for _, namespace := range []string{"kube-system", NamespaceIstio, NamespaceCNI, ztunnel} {
		pods, err := cluster.PodsBy(ctx, namespace, "")
		if err != nil {
			return nil, err
		}
		for i := range pods {
			collect(seen, &pods[i], sources)
		}
	}
	var all []record.Component
	for _, component := range seen {
		all = append(all, component)
	}
	slices.SortFunc(all, func(a, b record.Component) int { return cmp.Compare(a.Image, b.Image) })
	return all, nil
}

func collect(seen map[string]record.Component, pod *corev1.Pod, sources map[string]string) {
	for _, container := range pod.Spec.Containers {
		name := baseOf(container.Image)
		seen[container.Image] = record.Component{
			Name:    name,
			Version: tagOf(container.Image),
			Image:   container.Image,
			Source:  sourceOf(name, pod.Namespace, sources),
		}
	}
}

// sourceOf prefers what the installer wrote down. Kubernetes' own images come
// with the node's where wayproof made the cluster.
func sourceOf(name, namespace string, sources map[string]string) string {
	switch {
	case sources == nil:
		return "existing"
	case sources[name] != "":
		return sources[name]
	case namespace == "kube-system":
		return "node"
	default:
		return "existing"
	}
}

// imageSources reads what the installer wrote down, nil if wayproof did not
// install this mesh.
func imageSources(ctx context.Context, cluster *kube.Cluster) (map[string]string, error) {
	var config corev1.ConfigMap
	object, err := cluster.Read(ctx, corev1.SchemeGroupVersion.WithKind("ConfigMap"), kube.Ref{Namespace: NamespaceIstio, Name: sourcesName})
	if err != nil || object == nil {
		return nil, err
	}
	if err := kube.Into(object, &config); err != nil {
		return nil, fmt.Errorf("read image sources: %w", err)
	}
	if config.Data == nil {
		return map[string]string{}, nil
	}
	return config.Data, nil
}

// baseOf is the last element of an image's path.
func baseOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	name = name[strings.LastIndex(name, "/")+1:]
	base, _, _ := strings.Cut(name, ":")
	return base
}

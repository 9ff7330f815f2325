package post

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/wayproof/wayproof/internal/kube"
)

// Digest is everything that a fault may change and an undo must put back: what
// workloads and routes declare, how many replicas are ready, cordons, images,
// packet rules and stopped processes on the nodes, pledges. By name, in words.
type Digest map[string]string

// Digest reads the state of the namespaces that the post reaches, and of every
// node.
func (p *Post) Digest(ctx context.Context) (Digest, error) {
	d := Digest{}
	for _, read := range []func(context.Context, Digest) error{p.workloads, p.declared, p.nodes, p.hands, p.open} {
		if err := read(ctx, d); err != nil {
			return nil, fmt.Errorf("digest of the cluster: %w", err)
		}
	}
	return d, nil
}

// Differences lists in lines what differs, in the order of the names.
func (d Digest) Differences(after Digest) []string {
	names := slices.Collect(maps.Keys(d))
	for name := range after {
		if _, had := d[name]; !had {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var lines []string
	for _, name := range names {
		if was, is := d[name], after[name]; was != is {
			lines = append(lines, fmt.Sprintf("%s was %q, is %q", name, was, is))
		}
	}
	return lines
}

// workloads are Deployments and DaemonSets: replicas declared and ready, images.
func (p *Post) workloads(ctx context.Context, d Digest) error {
	for _, namespace := range p.reach.Read {
		deployments, err := p.cluster.Set().AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("list deployments of %s: %w", namespace, err)
		}
		for _, one := range deployments.Items {
			pods, err := podsLike(one.Spec.Template.Spec)
			if err != nil {
				return fmt.Errorf("read deployment %s/%s: %w", namespace, one.Name, err)
			}
			d["deployment "+namespace+"/"+one.Name] = fmt.Sprintf("%d replicas, %d in all, %d ready, %s",
				*one.Spec.Replicas, one.Status.Replicas, one.Status.ReadyReplicas, pods)
		}
		sets, err := p.cluster.Set().AppsV1().DaemonSets(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("list daemon sets of %s: %w", namespace, err)
		}
		for _, one := range sets.Items {
			pods, err := podsLike(one.Spec.Template.Spec)
			if err != nil {
				return fmt.Errorf("read daemon set %s/%s: %w", namespace, one.Name, err)
			}
			d["daemonset "+namespace+"/"+one.Name] = fmt.Sprintf("%d of %d ready, %s", one.Status.NumberReady, one.Status.DesiredNumberScheduled, pods)
		}
	}
	return nil
}

// podsLike says in words what the pods of a workload are like: images, and a
// fingerprint of the rest.
func podsLike(spec corev1.PodSpec) (string, error) {
	var images []string
	for _, container := range spec.Containers {
		images = append(images, container.Image)
	}
	template, err := fingerprint(spec)
	return fmt.Sprintf("images %s, pods like %s", strings.Join(images, " "), template), err
}

// fingerprint tells one pod template from another: variables, arguments, all of
// it but annotations, which a restart leaves behind.
func fingerprint(spec corev1.PodSpec) (string, error) {
	content, err := json.Marshal(spec)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6]), nil
}

// declared are the specs of what steers traffic.
func (p *Post) declared(ctx context.Context, d Digest) error {
	for _, kind := range []schema.GroupVersionKind{
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRouteList"},
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "GatewayList"},
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudgetList"},
		{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscalerList"},
		{Version: "v1", Kind: "ServiceList"},
	} {
		for _, namespace := range p.reach.Read {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(kind)
			if err := p.cluster.Objects().List(ctx, list, client.InNamespace(namespace)); err != nil {
				return fmt.Errorf("list %s of %s: %w", kind.Kind, namespace, err)
			}
			for i := range list.Items {
				spec, err := json.Marshal(list.Items[i].Object["spec"])
				if err != nil {
					return fmt.Errorf("read %s: %w", kube.Name(&list.Items[i]), err)
				}
				d[strings.ToLower(kube.Name(&list.Items[i]))] = string(spec)
			}
		}
	}
	return nil
}

func (p *Post) nodes(ctx context.Context, d Digest) error {
	list, err := p.cluster.Set().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	for _, node := range list.Items {
		d["node "+node.Name] = "cordoned " + strconv.FormatBool(node.Spec.Unschedulable)
	}
	return nil
}

func (p *Post) hands(ctx context.Context, d Digest) error {
	found, err := p.Leftovers(ctx)
	for node, lines := range found {
		d["left on "+node] = strings.Join(lines, "; ")
	}
	return err
}

func (p *Post) open(ctx context.Context, d Digest) error {
	all, err := p.Pledges(ctx)
	for _, one := range all {
		d["pledge "+one.ID] = one.Fault + " of " + one.Target
		if one.Broken != nil {
			d["pledge "+one.ID] = "cannot be read"
		}
	}
	return err
}

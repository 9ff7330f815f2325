package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sweepable is every kind that a run may create, in the order of removal: what
// steers controllers (routes, gateways, autoscalers) before what they steer,
// namespaces last but for what belongs to none.
func sweepable() []schema.GroupVersionKind {
	kinds := []struct{ group, version, kinds string }{
		{"gateway.networking.k8s.io", "v1", "HTTPRoute GRPCRoute Gateway"},
		{"gateway.networking.k8s.io", "v1beta1", "ReferenceGrant"},
		{"networking.istio.io", "v1", "VirtualService DestinationRule ServiceEntry"},
		{"networking.istio.io", "v1alpha3", "EnvoyFilter"},
		{"telemetry.istio.io", "v1", "Telemetry"},
		{"security.istio.io", "v1", "AuthorizationPolicy PeerAuthentication RequestAuthentication"},
		{"autoscaling", "v2", "HorizontalPodAutoscaler"},
		{"policy", "v1", "PodDisruptionBudget"},
		{"networking.k8s.io", "v1", "NetworkPolicy"},
		{"batch", "v1", "CronJob Job"},
		{"apps", "v1", "Deployment StatefulSet DaemonSet"},
		{"", "v1", "Pod Service ServiceAccount ConfigMap Secret"},
		{"coordination.k8s.io", "v1", "Lease"},
		{"rbac.authorization.k8s.io", "v1", "RoleBinding Role"},
		{"", "v1", "Namespace"},
		{"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding ClusterRole"},
	}
	var all []schema.GroupVersionKind
	for _, row := range kinds {
		for kind := range strings.FieldsSeq(row.kinds) {
			all = append(all, schema.GroupVersionKind{Group: row.group, Version: row.version, Kind: kind})
		}
	}
	return all
}

// Sweep removes everything that carries the run's label, gives adopted
// namespaces back, and waits until nothing is left. It needs no memory of what
// was created, so it also cleans up after a run that was killed. Kinds that the
// cluster does not know, or that the user may not list, are passed over: a run
// could not have created them either.
func (c *Cluster) Sweep(ctx context.Context, run string) error {
	if err := c.giveBackAll(ctx, run); err != nil {
		return err
	}
	w := Wait{What: "everything of run " + run + " to be gone", Within: goneWithin}
	return Await(ctx, w, func(ctx context.Context) (bool, string, error) {
		left, err := c.sweepOnce(ctx, run)
		return len(left) == 0 && err == nil, strings.Join(left, "; "), err
	})
}

// sweepOnce deletes what is found and not yet on its way out. It is repeated,
// for a controller may have put back what fell before its owner did.
func (c *Cluster) sweepOnce(ctx context.Context, run string) ([]string, error) {
	var left []string
	var failed error
	for _, kind := range sweepable() {
		found, err := c.labelled(ctx, kind, LabelRun, run)
		if err != nil {
			return left, err
		}
		for i := range found {
			left = append(left, describeStay(&found[i]))
			if found[i].GetDeletionTimestamp() == nil {
				failed = errors.Join(failed, c.deleteOne(ctx, &found[i]))
			}
		}
	}
	return left, failed
}

// Made lists what carries the run's label, as kind namespace/name.
func (c *Cluster) Made(ctx context.Context, run string) ([]string, error) {
	var names []string
	for _, kind := range sweepable() {
		found, err := c.labelled(ctx, kind, LabelRun, run)
		if err != nil {
			return nil, err
		}
		for i := range found {
			names = append(names, Name(&found[i]))
		}
	}
	return names, nil
}

func (c *Cluster) giveBackAll(ctx context.Context, run string) error {
	namespaces, err := c.labelled(ctx, KindNamespace, LabelAdopted, run)
	if err != nil {
		return err
	}
	for i := range namespaces {
		if err := c.giveBack(ctx, &namespaces[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) labelled(ctx context.Context, kind schema.GroupVersionKind, label, value string) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	err := c.objects.List(ctx, list, client.MatchingLabels{label: value})
	if isNoMatch(err) || apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s with label %s=%s: %w", kind.Kind, label, value, err)
	}
	return list.Items, nil
}

func isNoMatch(err error) bool { return err != nil && meta.IsNoMatchError(err) }

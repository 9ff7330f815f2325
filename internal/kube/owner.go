package kube

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Labels that say who made an object. Manager is also the field manager of
// everything that is applied.
const (
	LabelRun     = "wayproof.dev/run"
	LabelManager = "app.kubernetes.io/managed-by"
	LabelAdopted = "wayproof.dev/adopted-by"
	Manager      = "wayproof"
)

// Owner is in whose name objects are applied, and how far it may reach.
type Owner struct {
	// Run is the value of the run label; Sweep finds objects by it.
	Run string
	// Adopt allows namespaces that exist already. They get labels and are
	// given them back by Sweep, but are never deleted.
	Adopt bool
	// Guest names namespaces of others into which single objects may be put
	// without a word, such as istio-system for a trace sink.
	Guest []string
}

// Foreign is the refusal to touch what wayproof did not make.
type Foreign struct {
	Object string // kind and name
	Remedy string
}

func (f *Foreign) Error() string {
	return fmt.Sprintf("%s exists and was not made by wayproof: %s", f.Object, f.Remedy)
}

// stamp labels a copy of the object as ours.
func (o Owner) stamp(object *unstructured.Unstructured, adopted bool) *unstructured.Unstructured {
	stamped := object.DeepCopy()
	labels := stamped.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	if adopted {
		labels[LabelAdopted] = o.Run
	} else {
		labels[LabelRun], labels[LabelManager] = o.Run, Manager
	}
	stamped.SetLabels(labels)
	return stamped
}

// Ours tells whether labels say that wayproof made the object.
func Ours(labels map[string]string) bool {
	return labels[LabelManager] == Manager && labels[LabelRun] != ""
}

// standing is how an object that is about to be applied stands in the cluster.
type standing int

const (
	absent  standing = iota
	ours             // made by a run, may be changed and removed
	adopted          // a namespace of others, may be labelled
	foreign          // of others, in a namespace that may be used
)

// stands finds out, and refuses what must not be touched.
func (c *Cluster) stands(ctx context.Context, owner Owner, object *unstructured.Unstructured) (standing, error) {
	if err := c.mayEnter(ctx, owner, object.GetNamespace()); err != nil {
		return absent, err
	}
	live, err := c.live(ctx, object)
	if err != nil || live == nil {
		return absent, err
	}
	if Ours(live.GetLabels()) {
		return ours, nil
	}
	if object.GetKind() != "Namespace" {
		return foreign, nil
	}
	return adopted, refuseUnless(owner.Adopt, object.GetName())
}

// mayEnter refuses namespaces of others.
func (c *Cluster) mayEnter(ctx context.Context, owner Owner, namespace string) error {
	if namespace == "" || owner.Adopt || slices.Contains(owner.Guest, namespace) {
		return nil
	}
	var home corev1.Namespace
	err := c.objects.Get(ctx, client.ObjectKey{Name: namespace}, &home)
	if apierrors.IsNotFound(err) {
		return nil // the server's own refusal says it better
	}
	if err != nil {
		return fmt.Errorf("look at namespace %s: %w", namespace, err)
	}
	return refuseUnless(Ours(home.Labels), namespace)
}

func refuseUnless(allowed bool, namespace string) error {
	if allowed {
		return nil
	}
	return &Foreign{
		Object: "namespace " + namespace,
		Remedy: "adopt it (--adopt), or remove it first if it is a left-over",
	}
}

// live reads an object as it is, nil if it is not there.
func (c *Cluster) live(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(object.GroupVersionKind())
	err := c.objects.Get(ctx, client.ObjectKeyFromObject(object), live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", Name(object), err)
	}
	return live, nil
}

package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// goneWithin is how long objects may take to disappear. A namespace takes the
// grace period of its pods and a round of the garbage collector.
const goneWithin = 3 * time.Minute

// Delete removes objects in reverse order and waits until they are gone. What
// is not there, or is not wayproof's, is left alone; a namespace of others gets
// back the labels that it had. Calling it twice does no harm.
func (c *Cluster) Delete(ctx context.Context, owner Owner, manifests []Manifest) error {
	var going []*unstructured.Unstructured
	for _, manifest := range slices.Backward(manifests) {
		live, err := c.live(ctx, manifest.Object)
		switch {
		case isNoMatch(err), live == nil && err == nil:
			continue
		case err != nil:
			return fmt.Errorf("delete %s: %w", manifest, err)
		case live.GetLabels()[LabelAdopted] != "":
			err = c.giveBack(ctx, live)
		case Ours(live.GetLabels()):
			going = append(going, live)
			err = c.deleteOne(ctx, live)
		}
		if err != nil {
			return err
		}
	}
	return c.awaitGone(ctx, owner.Run, going)
}

// deleteOne asks for the removal of exactly this object: one that took its
// name in the meantime is not meant.
func (c *Cluster) deleteOne(ctx context.Context, live *unstructured.Unstructured) error {
	uid := live.GetUID()
	err := c.objects.Delete(ctx, live, client.Preconditions{UID: &uid},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete %s: %w", Name(live), err)
	}
	return nil
}

// giveBack applies nothing to an adopted namespace, by which the server drops
// every field that only wayproof had set.
func (c *Cluster) giveBack(ctx context.Context, namespace *unstructured.Unstructured) error {
	bare := &unstructured.Unstructured{}
	bare.SetGroupVersionKind(namespace.GroupVersionKind())
	bare.SetName(namespace.GetName())
	if _, err := c.serverSide(ctx, bare); err != nil {
		return fmt.Errorf("give back %s: %w", Name(namespace), err)
	}
	return nil
}

func (c *Cluster) awaitGone(ctx context.Context, run string, going []*unstructured.Unstructured) error {
	w := Wait{What: "objects of run " + run + " to be gone", Within: goneWithin}
	return Await(ctx, w, func(ctx context.Context) (bool, string, error) {
		var left []string
		for _, object := range going {
			live, err := c.live(ctx, object)
			if err != nil {
				return false, "", err
			}
			if live != nil && live.GetUID() == object.GetUID() {
				left = append(left, describeStay(live))
			}
		}
		return len(left) == 0, strings.Join(left, "; "), nil
	})
}

// describeStay says why an object that is being deleted is still there.
func describeStay(object *unstructured.Unstructured) string {
	text := Name(object)
	if object.GetDeletionTimestamp() == nil {
		return text + " not being deleted"
	}
	if finalizers := object.GetFinalizers(); len(finalizers) > 0 {
		text += " held by finalizers " + strings.Join(finalizers, ", ")
	}
	for _, c := range conditionsOf(object.Object, "status", "conditions") {
		if c.Status == "True" && c.Message != "" {
			text += " (" + c.Message + ")"
		}
	}
	return text
}

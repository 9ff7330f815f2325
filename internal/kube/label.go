package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// labelManager is the field manager of labels that are lent to objects. It is
// apart from Manager, so that giving it nothing takes away exactly what was
// lent and leaves what the objects were made with.
const labelManager = Manager + "-labels"

// errNothing is a loan to an object that is not there.
var errNothing = errors.New("there is nothing to label")

// Lend gives objects that are there already the labels of manifests, and
// nothing else of them. The objects must be wayproof's, or adopted.
func (c *Cluster) Lend(ctx context.Context, owner Owner, manifests []Manifest) error {
	for _, manifest := range manifests {
		how, err := c.stands(ctx, owner, manifest.Object)
		if err != nil {
			return fmt.Errorf("label %s as %s says: %w", manifest, manifest.File, err)
		}
		if how == absent || how == foreign {
			return fmt.Errorf("label %s as %s says: %w", manifest, manifest.File, errNothing)
		}
		if err := c.declareLabels(ctx, manifest, manifest.Object.GetLabels()); err != nil {
			return err
		}
	}
	return nil
}

// Reclaim takes the labels back that Lend gave. An object that is gone, or was
// lent nothing, is left alone.
func (c *Cluster) Reclaim(ctx context.Context, manifests []Manifest) error {
	for _, manifest := range manifests {
		if err := c.declareLabels(ctx, manifest, nil); err != nil {
			return err
		}
	}
	return nil
}

// declareLabels declares all labels that labelManager has a say in. The object's
// own identity goes along: without it the server would make a missing one.
func (c *Cluster) declareLabels(ctx context.Context, manifest Manifest, labels map[string]string) error {
	live, err := c.live(ctx, manifest.Object)
	if err != nil || live == nil {
		return err
	}
	bare := &unstructured.Unstructured{}
	bare.SetGroupVersionKind(live.GroupVersionKind())
	bare.SetNamespace(live.GetNamespace())
	bare.SetName(live.GetName())
	bare.SetUID(live.GetUID())
	if labels != nil {
		bare.SetLabels(labels)
	}
	if _, err := c.serverSide(ctx, bare, client.FieldOwner(labelManager)); err != nil && !apierrors.IsConflict(err) {
		return fmt.Errorf("label %s as %s says: %w", manifest, manifest.File, err)
	}
	return nil
}

// WaypointOf is the waypoint, namespace/name, that istiod says serves a
// Service: "none" where it says nothing, and its own words where it refuses.
func WaypointOf(service *unstructured.Unstructured) string {
	for _, c := range conditionsOf(service.Object, "status", "conditions") {
		switch {
		case c.Type != waypointBound:
			continue
		case c.Status != "True":
			return c.String()
		}
		words := strings.FieldsSeq(c.Message)
		for word := range words {
			if strings.Count(word, "/") == 1 {
				return strings.Trim(word, `".,`)
			}
		}
		return c.Message
	}
	return "none"
}

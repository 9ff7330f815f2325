package kube

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Ref names an object within a kind that the context gives.
type Ref = types.NamespacedName

// Kinds that have no Go type in the client's scheme, or are read as plain
// objects for the sake of one reader for all.
var (
	KindDeployment = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	KindDaemonSet  = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "DaemonSet"}
	KindService    = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	KindNamespace  = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
	KindGateway    = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "Gateway"}
	KindHTTPRoute  = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
	KindCRD        = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
)

// Judge tells from an object as read whether a wait is over, and what it saw.
type Judge func(object *unstructured.Unstructured) (bool, string)

// Read gets one object of any kind, nil without an error if it is not there.
func (c *Cluster) Read(ctx context.Context, kind schema.GroupVersionKind, ref Ref) (*unstructured.Unstructured, error) {
	wanted := &unstructured.Unstructured{}
	wanted.SetGroupVersionKind(kind)
	wanted.SetNamespace(ref.Namespace)
	wanted.SetName(ref.Name)
	return c.live(ctx, wanted)
}

// Subject is one object that a wait is about.
type Subject struct {
	Kind schema.GroupVersionKind
	Ref  Ref
}

func (s Subject) String() string {
	return strings.TrimPrefix(strings.ToLower(s.Kind.Kind)+" "+s.Ref.String(), "/")
}

// AwaitObject waits until judge is content with the object.
func (c *Cluster) AwaitObject(ctx context.Context, subject Subject, w Wait, judge Judge) error {
	w.What = subject.String() + " " + w.What
	return Await(ctx, w, func(ctx context.Context) (bool, string, error) {
		object, err := c.Read(ctx, subject.Kind, subject.Ref)
		if err != nil {
			return false, "", err
		}
		if object == nil {
			return false, "not there", nil
		}
		done, state := judge(object)
		return done, state, nil
	})
}

// AwaitGateway waits for a Gateway to be Programmed at its generation.
func (c *Cluster) AwaitGateway(ctx context.Context, gateway Ref, within time.Duration) error {
	return c.AwaitObject(ctx, Subject{KindGateway, gateway}, Wait{What: "to be programmed", Within: within},
		func(object *unstructured.Unstructured) (bool, string) {
			return holds(conditionsOf(object.Object, "status", "conditions"), object.GetGeneration(), "Accepted", "Programmed")
		})
}

// AwaitRoute waits until the mesh has taken an HTTPRoute at its generation for
// each of its parents: Accepted, ResolvedRefs, and ResolvedWaypoints where it
// is reported.
func (c *Cluster) AwaitRoute(ctx context.Context, route Ref, within time.Duration) error {
	return c.AwaitObject(ctx, Subject{KindHTTPRoute, route}, Wait{What: "to be taken by the mesh", Within: within}, routeReady)
}

// AwaitBound waits until istiod says that the waypoint (namespace/name, or
// empty for any) serves the Service.
func (c *Cluster) AwaitBound(ctx context.Context, service Ref, waypoint string, within time.Duration) error {
	return c.AwaitObject(ctx, Subject{KindService, service}, Wait{What: "to be bound to a waypoint", Within: within},
		func(object *unstructured.Unstructured) (bool, string) { return boundTo(object, waypoint) })
}

// AwaitUnbound waits until no waypoint serves the Service any more.
func (c *Cluster) AwaitUnbound(ctx context.Context, service Ref, within time.Duration) error {
	return c.AwaitObject(ctx, Subject{KindService, service}, Wait{What: "to be free of its waypoint", Within: within},
		func(object *unstructured.Unstructured) (bool, string) {
			bound, state := boundTo(object, "")
			return !bound, state
		})
}

// AwaitDeployment waits until every replica is of the current generation and
// available. A pod that cannot start is named in the timeout.
func (c *Cluster) AwaitDeployment(ctx context.Context, deployment Ref, within time.Duration) error {
	return c.awaitRollout(ctx, Subject{KindDeployment, deployment}, within)
}

// AwaitDaemonSet is AwaitDeployment for a DaemonSet, which must have at least
// one node to run on.
func (c *Cluster) AwaitDaemonSet(ctx context.Context, set Ref, within time.Duration) error {
	return c.awaitRollout(ctx, Subject{KindDaemonSet, set}, within)
}

func (c *Cluster) awaitRollout(ctx context.Context, subject Subject, within time.Duration) error {
	w := Wait{What: subject.String() + " to be available", Within: within}
	return Await(ctx, w, func(ctx context.Context) (bool, string, error) {
		object, err := c.Read(ctx, subject.Kind, subject.Ref)
		if err != nil {
			return false, "", err // what was seen before is the better answer
		}
		if object == nil {
			return false, "not there", nil
		}
		done, state := rolledOut(object)
		if done {
			return true, state, nil
		}
		trouble, err := c.troubleOf(ctx, object)
		return false, state + trouble, err
	})
}

// troubleOf says why pods of a workload do not start.
func (c *Cluster) troubleOf(ctx context.Context, workload *unstructured.Unstructured) (string, error) {
	labels, _, _ := unstructured.NestedStringMap(workload.Object, "spec", "selector", "matchLabels")
	pods, err := c.PodsWith(ctx, workload.GetNamespace(), labels)
	if err != nil {
		return "", err
	}
	var troubles []string
	for i := range pods {
		if why := whyNotReady(&pods[i]); why != "" {
			troubles = append(troubles, pods[i].Name+": "+why)
		}
	}
	if len(troubles) == 0 {
		return "", nil
	}
	return "; " + strings.Join(troubles, "; "), nil
}

// whyNotReady is the reason that a pod gives, empty if it is ready or gives none.
func whyNotReady(pod *corev1.Pod) string {
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		switch {
		case status.State.Waiting != nil:
			return fmt.Sprintf("%s %s %s", status.Name, status.State.Waiting.Reason, status.State.Waiting.Message)
		case status.State.Running != nil && !status.Ready && status.RestartCount > 0:
			return fmt.Sprintf("%s not ready, restarted %d times", status.Name, status.RestartCount)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Status != corev1.ConditionTrue && c.Message != "" {
			return c.Message
		}
	}
	return ""
}

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// PodsWith lists the pods of a namespace (all if empty) that carry the labels,
// in the order of their names.
func (c *Cluster) PodsWith(ctx context.Context, namespace string, with map[string]string) ([]corev1.Pod, error) {
	return c.PodsBy(ctx, namespace, labels.SelectorFromSet(with).String())
}

// PodsBy lists the pods that a label selector in text form picks.
func (c *Cluster) PodsBy(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	list, err := c.set.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list pods %q in namespace %q: %w", selector, namespace, err)
	}
	return list.Items, nil
}

// PodsOf lists the pods that a Service selects. A Service without a selector
// has none.
func (c *Cluster) PodsOf(ctx context.Context, service Ref) ([]corev1.Pod, error) {
	found, err := c.set.CoreV1().Services(service.Namespace).Get(ctx, service.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get service %s: %w", service, err)
	}
	if len(found.Spec.Selector) == 0 {
		return nil, nil
	}
	return c.PodsWith(ctx, service.Namespace, found.Spec.Selector)
}

// Ready tells whether a pod is ready and not on its way out.
func Ready(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// ErrBudget is an eviction that a PodDisruptionBudget forbids: the API's 429.
var ErrBudget = errors.New("eviction refused by a disruption budget")

// Evict asks the Eviction API to remove a pod, once: the client's own habit of
// repeating a 429 for minutes would hide the very answer that matters.
func (c *Cluster) Evict(ctx context.Context, pod Ref) error {
	return c.evict(ctx, pod, nil)
}

// EvictDry asks the same and leaves the pod alone: budgets are held against the
// dry run, and not charged for it.
func (c *Cluster) EvictDry(ctx context.Context, pod Ref) error {
	return c.evict(ctx, pod, &metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
}

func (c *Cluster) evict(ctx context.Context, pod Ref, options *metav1.DeleteOptions) error {
	eviction := &policyv1.Eviction{
		TypeMeta:      metav1.TypeMeta{APIVersion: "policy/v1", Kind: "Eviction"},
		ObjectMeta:    metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name},
		DeleteOptions: options,
	}
	err := c.set.PolicyV1().RESTClient().Post().AbsPath("/api/v1").
		Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("eviction").
		MaxRetries(0).Body(eviction).Do(ctx).Error()
	if apierrors.IsTooManyRequests(err) {
		return fmt.Errorf("evict pod %s: %w: %w", pod, ErrBudget, err)
	}
	if err != nil {
		return fmt.Errorf("evict pod %s: %w", pod, err)
	}
	return nil
}

// LogQuery says which log to read.
type LogQuery struct {
	Pod       Ref
	Container string // empty if the pod has only one
	Since     time.Time
	Previous  bool // of the container before its last restart
	Follow    bool
}

// Logs opens a container's log with the server's time stamps. The caller
// closes it.
func (c *Cluster) Logs(ctx context.Context, query LogQuery) (io.ReadCloser, error) {
	options := &corev1.PodLogOptions{
		Container: query.Container, Previous: query.Previous, Follow: query.Follow, Timestamps: true,
	}
	if !query.Since.IsZero() {
		since := metav1.NewTime(query.Since)
		options.SinceTime = &since
	}
	stream, err := c.set.CoreV1().Pods(query.Pod.Namespace).GetLogs(query.Pod.Name, options).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read log of pod %s container %q: %w", query.Pod, query.Container, err)
	}
	return stream, nil
}

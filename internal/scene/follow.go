package scene

import (
	"context"
	"fmt"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

// followed is a kind of object that is read at every event of a watch, so that
// no state between two looks is missed.
type followed struct {
	// list begins anew and returns the version to watch from.
	list  func(ctx context.Context) (version string, err error)
	watch func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
	event func(event watch.Event)
}

// followAgain is the pause before a watch that ended is begun anew.
const followAgain = 200 * time.Millisecond

// follow reads until ctx ends. A watch that the server ends is begun anew by a
// list, which reads what was missed in its last state only.
func follow(ctx context.Context, f followed, trouble func(error)) {
	for ctx.Err() == nil {
		if err := f.once(ctx); err != nil && ctx.Err() == nil {
			trouble(err)
		}
		if pause(ctx, followAgain) != nil {
			return
		}
	}
}

func (f followed) once(ctx context.Context) error {
	version, err := f.list(ctx)
	if err != nil {
		return fmt.Errorf("list what is watched: %w", err)
	}
	stream, err := f.watch(ctx, metav1.ListOptions{ResourceVersion: version})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer stream.Stop()
	for event := range stream.ResultChan() {
		f.event(event)
	}
	return nil
}

// replicasOf follows the pods of a waypoint: how many are ready, after each
// event, and which address is whose.
func (s *show) replicasOf(waypoint string) followed {
	ref := refOf(waypoint)
	selector := metav1.ListOptions{LabelSelector: "gateway.networking.k8s.io/gateway-name=" + ref.Name}
	pods := s.scene.cluster.Set().CoreV1().Pods(ref.Namespace)
	ready := map[string]bool{}
	see := func(pod *corev1.Pod, gone bool) {
		ready[string(pod.UID)] = !gone && kube.Ready(pod)
		s.meet(pod)
	}
	return followed{
		list: func(ctx context.Context) (string, error) {
			all, err := pods.List(ctx, selector)
			if err != nil {
				return "", err
			}
			clear(ready)
			for i := range all.Items {
				see(&all.Items[i], false)
			}
			s.reading(catalogue.SeriesReady, float64(truths(ready)), "listed")
			return all.ResourceVersion, nil
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = selector.LabelSelector
			return pods.Watch(ctx, options)
		},
		event: func(event watch.Event) {
			if pod, ok := event.Object.(*corev1.Pod); ok {
				see(pod, event.Type == watch.Deleted)
				s.reading(catalogue.SeriesReady, float64(truths(ready)), string(event.Type)+" "+pod.Name)
			}
		},
	}
}

func truths(all map[string]bool) int {
	n := 0
	for _, one := range all {
		if one {
			n++
		}
	}
	return n
}

// budgetsOf follows the disruption budgets of a namespace: how many disruptions
// each allows, and whether that is right by its own figures.
func (s *show) budgetsOf(namespace string) followed {
	budgets := s.scene.cluster.Set().PolicyV1().PodDisruptionBudgets(namespace)
	return followed{
		list: func(ctx context.Context) (string, error) {
			all, err := budgets.List(ctx, metav1.ListOptions{})
			if err != nil {
				return "", err
			}
			for i := range all.Items {
				s.budget(&all.Items[i])
			}
			return all.ResourceVersion, nil
		},
		watch: budgets.Watch,
		event: func(event watch.Event) {
			if budget, ok := event.Object.(*policyv1.PodDisruptionBudget); ok && event.Type != watch.Deleted {
				s.budget(budget)
			}
		},
	}
}

// autoscalersOf follows the autoscalers of a namespace: how many replicas each
// wants.
func (s *show) autoscalersOf(namespace string) followed {
	scalers := s.scene.cluster.Set().AutoscalingV2().HorizontalPodAutoscalers(namespace)
	see := func(one *autoscalingv2.HorizontalPodAutoscaler) {
		s.reading(catalogue.SeriesDesired(one.Namespace+"/"+one.Name), float64(one.Status.DesiredReplicas), "")
	}
	return followed{
		list: func(ctx context.Context) (string, error) {
			all, err := scalers.List(ctx, metav1.ListOptions{})
			if err != nil {
				return "", err
			}
			for i := range all.Items {
				see(&all.Items[i])
			}
			return all.ResourceVersion, nil
		},
		watch: scalers.Watch,
		event: func(event watch.Event) {
			if one, ok := event.Object.(*autoscalingv2.HorizontalPodAutoscaler); ok && event.Type != watch.Deleted {
				see(one)
			}
		},
	}
}

// budget notes one state of a budget. One whose status is not about it yet says
// nothing.
func (s *show) budget(budget *policyv1.PodDisruptionBudget) {
	if budget.Status.ObservedGeneration < budget.Generation {
		return
	}
	name := budget.Namespace + "/" + budget.Name
	allowed := float64(budget.Status.DisruptionsAllowed)
	s.reading(catalogue.SeriesAllowed(name), allowed, "")
	off, text := misjudged(budget.Status)
	s.reading(catalogue.SeriesMisjudged(name), float64(off), text)
}

// misjudged is how far a budget's allowed disruptions are from what its other
// figures say: healthy pods beyond the desired ones, less the evictions that were
// granted and not yet counted, which are charged at once.
func misjudged(status policyv1.PodDisruptionBudgetStatus) (off int32, text string) {
	most := max(status.CurrentHealthy-status.DesiredHealthy, 0)
	least := max(most-int32(len(status.DisruptedPods)), 0)
	text = fmt.Sprintf("%d allowed, %d healthy, %d desired, %d of %d pods", status.DisruptionsAllowed,
		status.CurrentHealthy, status.DesiredHealthy, len(status.DisruptedPods), status.ExpectedPods)
	switch allowed := status.DisruptionsAllowed; {
	case allowed > most:
		return allowed - most, text
	case allowed < least:
		return least - allowed, text
	}
	return 0, text
}

package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/kube"
)

// waypointPods lists the ready pods of a waypoint.
func waypointPods(ctx context.Context, site Site, target string) ([]corev1.Pod, error) {
	namespace, name := ref(target)
	pods, err := site.Cluster.PodsBy(ctx, namespace, "gateway.networking.k8s.io/gateway-name="+name)
	if err != nil {
		return nil, err
	}
	pods = slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return !kube.Ready(&pod) })
	if len(pods) == 0 {
		return nil, fmt.Errorf("waypoint %s has no ready pod", target)
	}
	return pods, nil
}

// victimOf picks the pod of a waypoint that a fault is about.
func victimOf(ctx context.Context, site Site, spec chaos.Spec) (victim corev1.Pod, of int, err error) {
	pods, err := waypointPods(ctx, site, spec.Target)
	if err != nil {
		return victim, 0, err
	}
	victim, err = spare(pods, spec)
	return victim, len(pods), err
}

// spare refuses to take the only replica, unless the spec says so: at most half
// of the replicas may go.
func spare(pods []corev1.Pod, spec chaos.Spec) (corev1.Pod, error) {
	if len(pods) < 2 && spec.Params["alone"] != "yes" {
		return corev1.Pod{}, errors.New("only one replica is ready, and a fault may take at most half of them (alone=yes allows it)")
	}
	return pods[0], nil
}

func named(pod corev1.Pod) string { return pod.Namespace + "/" + pod.Name }

func refTo(pod corev1.Pod) kube.Ref { return kube.Ref{Namespace: pod.Namespace, Name: pod.Name} }

// kill deletes one pod of a waypoint: gracefully, or at once with grace=0.
func kill(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	victim, of, err := victimOf(ctx, site, spec)
	if err != nil {
		return nil, err
	}
	options := metav1.DeleteOptions{}
	if text := spec.Params["grace"]; text != "" {
		grace, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("grace %q is no number of seconds", text)
		}
		options.GracePeriodSeconds = &grace
	}
	return leaving(site, spec, victim, of, func(ctx context.Context) error { return removePod(ctx, site, victim, options) }), nil
}

// leaving is a fault that takes one pod away; what it belongs to brings another.
func leaving(site Site, spec chaos.Spec, victim corev1.Pod, of int, inject func(context.Context) error) *Injection {
	return &Injection{
		Target: "pod " + named(victim) + " of " + strconv.Itoa(of),
		inject: inject,
		confirm: func(ctx context.Context) (string, error) {
			return eventually(ctx, "pod "+named(victim)+" to go", going(site, victim))
		},
		whole: available(site, spec.Target),
	}
}

func removePod(ctx context.Context, site Site, pod corev1.Pod, options metav1.DeleteOptions) error {
	options.Preconditions = &metav1.Preconditions{UID: &pod.UID}
	if err := site.Cluster.Set().CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, options); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete pod %s: %w", named(pod), err)
	}
	return nil
}

// going is evidence that a pod is on its way out, or gone.
func going(site Site, victim corev1.Pod) kube.Probe {
	return func(ctx context.Context) (bool, string, error) {
		now, err := site.Cluster.Set().CoreV1().Pods(victim.Namespace).Get(ctx, victim.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return true, "pod " + named(victim) + " is gone", nil
		case err != nil:
			return false, "", err
		case now.UID != victim.UID:
			return true, "pod " + named(victim) + " was replaced", nil
		case now.DeletionTimestamp != nil:
			return true, "pod " + named(victim) + " is terminating since " + now.DeletionTimestamp.UTC().Format("15:04:05"), nil
		}
		return false, "pod " + named(victim) + " is still there", nil
	}
}

package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

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

// spare refuses to take the only replica, unless the spec says so: at most half
// of the replicas may go.
func spare(pods []corev1.Pod, spec chaos.Spec) (corev1.Pod, error) {
	if len(pods) < 2 && spec.Params["alone"] != "yes" {
		return corev1.Pod{}, errors.New("only one replica is ready, and a fault may take at most half of them (alone=yes allows it)")
	}
	return pods[0], nil
}

func named(pod corev1.Pod) string { return pod.Namespace + "/" + pod.Name }

// kill deletes one pod of a waypoint: gracefully, or at once with grace=0.
func kill(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	pods, err := waypointPods(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	victim, err := spare(pods, spec)
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
	return &Injection{
		Target: "pod " + named(victim) + " of " + strconv.Itoa(len(pods)),
		inject: func(ctx context.Context) error { return removePod(ctx, site, victim, options) },
		confirm: func(ctx context.Context) (string, error) {
			return eventually(ctx, "pod "+named(victim)+" to go", going(site, victim))
		},
		whole: available(site, spec.Target),
	}, nil
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

// evict removes one pod of a waypoint by the Eviction API.
func evict(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	made, err := kill(ctx, site, spec)
	if err != nil {
		return nil, err
	}
	pods, err := waypointPods(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	victim := pods[0]
	made.inject = func(ctx context.Context) error {
		return site.Cluster.Evict(ctx, kube.Ref{Namespace: victim.Namespace, Name: victim.Name})
	}
	made.confirm = func(ctx context.Context) (string, error) {
		return eventually(ctx, "pod "+named(victim)+" to go", going(site, victim))
	}
	return made, nil
}

// nodeproxy restarts node proxies: the one on the node of a pod given by
// beside=namespace/label, or all of them one by one with rolling=yes.
func nodeproxy(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	namespace, name := ref(spec.Target)
	pods, err := site.Cluster.PodsBy(ctx, namespace, "app="+name)
	if err != nil {
		return nil, err
	}
	if beside := spec.Params["beside"]; beside != "" {
		if pods, err = onNodeOf(ctx, site, pods, beside); err != nil {
			return nil, err
		}
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("no node proxy in %s", spec.Target)
	}
	if spec.Params["rolling"] != "yes" {
		pods = pods[:1]
	}
	made := &Injection{Target: fmt.Sprintf("%d node proxies, first %s", len(pods), named(pods[0]))}
	made.inject = func(ctx context.Context) error { return rollPods(ctx, site, pods, spec.Target) }
	made.confirm = func(ctx context.Context) (string, error) {
		return eventually(ctx, "node proxy "+named(pods[0])+" to go", going(site, pods[0]))
	}
	made.whole = func(ctx context.Context) (string, error) {
		err := site.Cluster.AwaitDaemonSet(ctx, kube.Ref{Namespace: namespace, Name: name}, wholeWait)
		return "a ready node proxy on every node", err
	}
	return made, nil
}

func onNodeOf(ctx context.Context, site Site, pods []corev1.Pod, beside string) ([]corev1.Pod, error) {
	namespace, label, _ := strings.Cut(beside, "/")
	neighbours, err := site.Cluster.PodsBy(ctx, namespace, label)
	if err != nil || len(neighbours) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no pod %s", beside))
	}
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return pod.Spec.NodeName != neighbours[0].Spec.NodeName }), nil
}

// rollPods deletes pods one by one, the next when the set is whole again.
func rollPods(ctx context.Context, site Site, pods []corev1.Pod, set string) error {
	namespace, name := ref(set)
	for i, pod := range pods {
		if err := removePod(ctx, site, pod, metav1.DeleteOptions{}); err != nil {
			return err
		}
		if i == len(pods)-1 {
			return nil
		}
		what := kube.Wait{What: "node proxy " + named(pod) + " to be replaced", Within: wholeWait}
		if err := kube.Await(ctx, what, going(site, pod)); err != nil {
			return err
		}
		if err := site.Cluster.AwaitDaemonSet(ctx, kube.Ref{Namespace: namespace, Name: name}, wholeWait); err != nil {
			return err
		}
	}
	return nil
}

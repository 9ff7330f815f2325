package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/kube"
)

// nodeproxy restarts node proxies. With beside=namespace/label the one on the
// node of that pod is deleted: it has gone before its successor comes. With
// rolling=yes the DaemonSet is rolled, as an upgrade does it: by its own
// strategy, which for Istio's is to start the successor first.
func nodeproxy(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	if spec.Params["rolling"] == "yes" {
		return rollProxies(ctx, site, spec)
	}
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
	victim := pods[0]
	made := leaving(site, spec, victim, len(pods), func(ctx context.Context) error {
		return removePod(ctx, site, victim, metav1.DeleteOptions{})
	})
	made.whole = proxied(site, spec.Target)
	return made, nil
}

func onNodeOf(ctx context.Context, site Site, pods []corev1.Pod, beside string) ([]corev1.Pod, error) {
	namespace, label := ref(beside)
	neighbours, err := site.Cluster.PodsBy(ctx, namespace, label)
	if err != nil || len(neighbours) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no pod %s", beside))
	}
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return pod.Spec.NodeName != neighbours[0].Spec.NodeName }), nil
}

// proxied waits until every node has a ready node proxy, and no old one is
// still on its way out.
func proxied(site Site, target string) func(context.Context) (string, error) {
	namespace, name := ref(target)
	return func(ctx context.Context) (string, error) {
		if err := site.Cluster.AwaitDaemonSet(ctx, kube.Ref{Namespace: namespace, Name: name}, wholeWait); err != nil {
			return "", err
		}
		wait := kube.Wait{What: "old pods of " + target + " to be gone", Within: wholeWait}
		err := kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
			pods, err := site.Cluster.PodsBy(ctx, namespace, "app="+name)
			unready := slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return kube.Ready(&pod) })
			return err == nil && len(unready) == 0, fmt.Sprintf("%d pods not ready or terminating", len(unready)), err
		})
		return "a ready node proxy on every node, and no other", err
	}
}

// rollProxies rolls the DaemonSet. As with a waypoint there is nothing to undo
// but to wait; a rollout that has begun ends without us.
func rollProxies(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	was, err := daemonSet(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	namespace, name := ref(spec.Target)
	path := "/apis/apps/v1/namespaces/" + namespace + "/daemonsets/" + name
	step, err := mergePatch("roll "+spec.Target, path, stamped(time.Now()))
	if err != nil {
		return nil, err
	}
	return &Injection{
		Target: fmt.Sprintf("the %d node proxies of %s", was.Status.DesiredNumberScheduled, spec.Target), inject: do(site, step),
		confirm: func(ctx context.Context) (string, error) {
			return eventually(ctx, spec.Target+" to roll", func(ctx context.Context) (bool, string, error) {
				now, err := daemonSet(ctx, site, spec.Target)
				if err != nil {
					return false, "", err
				}
				state := fmt.Sprintf("generation %d, %d of %d node proxies updated", now.Generation, now.Status.UpdatedNumberScheduled, now.Status.DesiredNumberScheduled)
				rolling := now.Generation > was.Generation && now.Status.ObservedGeneration >= now.Generation
				return rolling && now.Status.UpdatedNumberScheduled > 0, state, nil
			})
		},
		whole: proxied(site, spec.Target),
	}, nil
}

func daemonSet(ctx context.Context, site Site, target string) (*appsv1.DaemonSet, error) {
	namespace, name := ref(target)
	found, err := site.Cluster.Set().AppsV1().DaemonSets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get daemon set %s: %w", target, err)
	}
	return found, nil
}

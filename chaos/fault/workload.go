package fault

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

func deployment(ctx context.Context, site Site, target string) (*appsv1.Deployment, error) {
	namespace, name := ref(target)
	found, err := site.Cluster.Set().AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get deployment %s: %w", target, err)
	}
	return found, nil
}

// do makes a step a deed: what is pledged is undone the way it is done.
func do(site Site, step pledge.Step) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := site.Post.Call(ctx, *step.Request); err != nil {
			return fmt.Errorf("%s: %w", step.Say, err)
		}
		return nil
	}
}

// scale gives a waypoint another number of replicas: to=N.
func scale(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	wanted, err := strconv.ParseInt(spec.Params["to"], 10, 32)
	if err != nil || wanted < 1 && spec.Params["alone"] != "yes" || wanted > 10 {
		return nil, fmt.Errorf("to=%q is no number of replicas from 1 to 10", spec.Params["to"])
	}
	return scaled(ctx, site, spec.Target, int32(wanted))
}

// istiod takes the control plane away.
func istiod(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	return scaled(ctx, site, spec.Target, 0)
}

func scaled(ctx context.Context, site Site, target string, to int32) (*Injection, error) {
	now, err := deployment(ctx, site, target)
	if err != nil {
		return nil, err
	}
	was := *now.Spec.Replicas
	if was == to {
		return nil, fmt.Errorf("%s has %d replicas already", target, to)
	}
	path := deploymentPath(target)
	forth, err := mergePatch(fmt.Sprintf("scale %s to %d", target, to), path, replicas(to))
	if err != nil {
		return nil, err
	}
	back, err := mergePatch(fmt.Sprintf("scale %s back to %d", target, was), path, replicas(was))
	if err != nil {
		return nil, err
	}
	return &Injection{
		Target: fmt.Sprintf("%s from %d to %d replicas", target, was, to), Undo: []pledge.Step{back},
		inject: do(site, forth),
		confirm: func(ctx context.Context) (string, error) {
			return eventually(ctx, fmt.Sprintf("%s to have %d pods", target, to), exactly(site, now, to))
		},
		whole: func(ctx context.Context) (string, error) {
			if evidence, err := available(site, target)(ctx); err != nil {
				return evidence, err
			}
			return eventually(ctx, fmt.Sprintf("%s to have %d pods again", target, was), exactly(site, now, was))
		},
	}, nil
}

// exactly is evidence that so many pods of a Deployment are ready, and that no
// other serves any more.
func exactly(site Site, of *appsv1.Deployment, count int32) kube.Probe {
	return func(ctx context.Context) (bool, string, error) {
		pods, err := site.Cluster.PodsWith(ctx, of.Namespace, of.Spec.Selector.MatchLabels)
		serving := int32(0)
		for i := range pods {
			if kube.Ready(&pods[i]) {
				serving++
			}
		}
		return err == nil && serving == count, fmt.Sprintf("%d pods of %s/%s, %d ready", len(pods), of.Namespace, of.Name, serving), err
	}
}

// restartedAt is the annotation that kubectl's rollout restart sets, too.
const restartedAt = "wayproof.dev/restarted-at"

// restart rolls a waypoint: new pods first, then the old ones go. There is
// nothing to undo but to wait; the annotation stays, as taking it away would
// roll the pods once more.
func restart(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	now, err := deployment(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	stamp := time.Now().UTC().Format(time.RFC3339)
	step, err := mergePatch("restart "+spec.Target, deploymentPath(spec.Target), map[string]any{"spec": map[string]any{"template": map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{restartedAt: stamp}},
	}}})
	if err != nil {
		return nil, err
	}
	return &Injection{
		Target: spec.Target, inject: do(site, step),
		confirm: func(ctx context.Context) (string, error) {
			return eventually(ctx, spec.Target+" to roll", func(ctx context.Context) (bool, string, error) {
				live, err := deployment(ctx, site, spec.Target)
				if err != nil {
					return false, "", err
				}
				state := fmt.Sprintf("generation %d, %d of %d replicas updated", live.Generation, live.Status.UpdatedReplicas, live.Status.Replicas)
				return live.Generation > now.Generation && live.Status.ObservedGeneration >= live.Generation, state, nil
			})
		},
		whole: available(site, spec.Target),
	}, nil
}

// drain cordons the node of one waypoint pod and evicts that waypoint's pods
// from it, waiting where a budget forbids it. Other pods of the node stay: they
// are not what is under test.
func drain(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	pods, err := waypointPods(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	node := pods[0].Spec.NodeName
	path := "/api/v1/nodes/" + node
	cordon, err := mergePatch("cordon node "+node, path, map[string]any{"spec": map[string]any{"unschedulable": true}})
	if err != nil {
		return nil, err
	}
	back, err := mergePatch("uncordon node "+node, path, map[string]any{"spec": map[string]any{"unschedulable": nil}})
	if err != nil {
		return nil, err
	}
	var leaving []corev1.Pod
	for _, pod := range pods {
		if pod.Spec.NodeName == node {
			leaving = append(leaving, pod)
		}
	}
	refusals := 0
	return &Injection{
		Target: fmt.Sprintf("node %s, %d of %d pods of %s", node, len(leaving), len(pods), spec.Target), Undo: []pledge.Step{back},
		inject: func(ctx context.Context) error {
			if err := do(site, cordon)(ctx); err != nil {
				return err
			}
			refused, err := evictAll(ctx, site, leaving)
			refusals = refused
			return err
		},
		confirm: func(ctx context.Context) (string, error) {
			evidence, err := eventually(ctx, "pods to leave node "+node, going(site, leaving[len(leaving)-1]))
			return fmt.Sprintf("node %s is cordoned, %d evictions refused by a budget on the way; %s", node, refusals, evidence), err
		},
		whole: available(site, spec.Target),
	}, nil
}

// drainWait bounds how long a drain waits for a budget.
const drainWait = 90 * time.Second

// evictAll asks for each pod until it is granted, and counts the refusals.
func evictAll(ctx context.Context, site Site, pods []corev1.Pod) (refusals int, err error) {
	for _, pod := range pods {
		wait := kube.Wait{What: "pod " + named(pod) + " to be evicted", Within: drainWait, Every: time.Second}
		err := kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
			err := site.Cluster.Evict(ctx, kube.Ref{Namespace: pod.Namespace, Name: pod.Name})
			if errors.Is(err, kube.ErrBudget) {
				refusals++
				return false, "refused by a budget", nil
			}
			return err == nil, "", err
		})
		if err != nil {
			return refusals, err
		}
	}
	return refusals, nil
}

package fault

import (
	"context"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
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

// istiod takes the control plane away. With route=namespace/name the route's
// weights are turned while it is gone, which nobody can tell the proxies: they
// must go on as before. The fault has two halves then: istiod comes back first, by
// which the change arrives, and the weights are given back after that.
func istiod(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	made, err := scaled(ctx, site, spec.Target, 0)
	if err != nil || spec.Params["route"] == "" {
		return made, err
	}
	route, err := readRoute(ctx, site, spec.Params["route"])
	if err != nil {
		return nil, err
	}
	back, forth, err := weightPatches(route)
	if err != nil {
		return nil, err
	}
	gone, again, returned := made.confirm, made.Undo[0], made.whole
	made.Undo = append(made.Undo, back)
	made.confirm = func(ctx context.Context) (string, error) {
		evidence, err := gone(ctx)
		if err != nil {
			return evidence, err
		}
		return evidence + "; then the weights of " + spec.Params["route"] + " were turned", do(site, forth)(ctx)
	}
	made.half = func(ctx context.Context) error {
		if err := do(site, again)(ctx); err != nil {
			return err
		}
		_, err := returned(ctx)
		return err
	}
	return made, nil
}

func scaled(ctx context.Context, site Site, target string, to int32) (*Injection, error) {
	found, err := deployment(ctx, site, target)
	if err != nil {
		return nil, err
	}
	was := *found.Spec.Replicas
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
			return eventually(ctx, fmt.Sprintf("%s to have %d pods", target, to), exactly(site, found, to))
		},
		still: glance(exactly(site, found, to)),
		whole: func(ctx context.Context) (string, error) {
			if evidence, err := available(site, target)(ctx); err != nil {
				return evidence, err
			}
			return eventually(ctx, fmt.Sprintf("%s to have %d pods again", target, was), exactly(site, found, was))
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

// restartedAt is the annotation by which pods are rolled, as kubectl's rollout
// restart does it by one of its own.
const restartedAt = "wayproof.dev/restarted-at"

// stamped is the patch that rolls a workload: its pods' template says when.
func stamped(at time.Time) map[string]any {
	return map[string]any{"spec": map[string]any{"template": map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{restartedAt: at.UTC().Format(time.RFC3339Nano)}},
	}}}
}

// restart rolls a waypoint: new pods first, then the old ones go. There is
// nothing to undo but to wait; the annotation stays, as taking it away would
// roll the pods once more.
func restart(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	now, err := deployment(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	step, err := mergePatch("restart "+spec.Target, deploymentPath(spec.Target), stamped(time.Now()))
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

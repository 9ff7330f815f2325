package fault

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
)

// crash kills Envoy in one pod of a waypoint: kill -9, without the two seconds
// that a kubelet gives even to a pod that is deleted with grace 0. The pod stays,
// and its container is started again.
func crash(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	victim, of, err := victimOf(ctx, site, spec)
	if err != nil {
		return nil, err
	}
	d := pledge.Deed{Node: victim.Spec.NodeName, Kind: pledge.Kill, Pod: string(victim.UID), Program: "envoy"}
	killed := ""
	return &Injection{
		Target: fmt.Sprintf("Envoy of pod %s of %d", named(victim), of),
		inject: func(ctx context.Context) (err error) {
			killed, err = site.Post.Hand(ctx, "do", d)
			return err
		},
		confirm: func(ctx context.Context) (string, error) {
			evidence, err := eventually(ctx, "the container of pod "+named(victim)+" to end", func(ctx context.Context) (bool, string, error) {
				now, err := site.Cluster.Set().CoreV1().Pods(victim.Namespace).Get(ctx, victim.Name, metav1.GetOptions{})
				if err != nil {
					return false, "", err
				}
				done, state := ended(victim, *now)
				return done, state, nil
			})
			return killed + "; " + evidence, err
		},
		whole: available(site, spec.Target),
	}, nil
}

// ended is evidence that a container of a pod has ended since: it is not running,
// or was started again.
func ended(before, now corev1.Pod) (bool, string) {
	was := map[string]int32{}
	for _, status := range before.Status.ContainerStatuses {
		was[status.Name] = status.RestartCount
	}
	for _, status := range now.Status.ContainerStatuses {
		switch {
		case status.RestartCount > was[status.Name]:
			return true, fmt.Sprintf("container %s was restarted, %d times in all", status.Name, status.RestartCount)
		case status.State.Running == nil:
			return true, "container " + status.Name + " does not run"
		}
	}
	return false, "every container runs as before"
}

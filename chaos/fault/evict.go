package fault

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/kube"
)

// evict removes one pod of a waypoint by the Eviction API. With edge=yes it asks
// for another at once, which a budget of one must refuse.
func evict(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	pods, err := waypointPods(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	victim, err := spare(pods, spec)
	if err != nil {
		return nil, err
	}
	atEdge := spec.Params["edge"] == "yes"
	if atEdge && len(pods) < 2 {
		return nil, fmt.Errorf("edge=yes asks for a second pod, and %s has %d ready", spec.Target, len(pods))
	}
	return leaving(site, spec, victim, len(pods), func(ctx context.Context) error {
		first := site.Cluster.Evict(ctx, refTo(victim))
		site.answered(chaos.SeriesFirst, victim, first)
		if first != nil || !atEdge {
			return first
		}
		edge := site.Cluster.Evict(ctx, refTo(pods[1]))
		site.answered(chaos.SeriesEdge, pods[1], edge)
		if errors.Is(edge, kube.ErrBudget) {
			return nil
		}
		return edge
	}), nil
}

// answered notes the status code of an eviction. One without an answer has none.
func (s Site) answered(series string, pod corev1.Pod, err error) {
	if code, text, answered := kube.EvictionAnswer(err); answered {
		s.note(series, float64(code), named(pod)+": "+text)
	}
}

package scene

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/kube"
)

// reconnected makes the demo's own callers open new connections, as load does: a
// connection from before a change goes on under what was configured then.
func (s *Scene) reconnected(ctx context.Context) error {
	if !s.owed.connections {
		return nil
	}
	pods, err := s.callers(ctx)
	if err != nil {
		return err
	}
	group, asking := errgroup.WithContext(ctx)
	for _, pod := range pods {
		group.Go(func() error {
			_, err := s.cluster.ProxyDelete(asking, operations(&pod), "/connections")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("make the demo's callers open new connections: %w", err)
	}
	s.owed.connections = false
	return nil
}

// callers are the ready pods of the demo that ask other services.
func (s *Scene) callers(ctx context.Context) (ready []corev1.Pod, err error) {
	for _, namespace := range []string{"travel-agency", "travel-portal", "travel-control"} {
		pods, err := s.cluster.PodsBy(ctx, namespace, "app in (travels,voyages,viaggi,control)")
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			if kube.Ready(&pod) && pod.DeletionTimestamp == nil {
				ready = append(ready, pod)
			}
		}
	}
	return ready, nil
}

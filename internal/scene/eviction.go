package scene

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

// edgeTries is how often the eviction at the edge of a budget is asked for.
const edgeTries = 3

// evictor asks for evictions one step at a time, between two looks.
type evictor struct {
	first string // the pod that was evicted
	tries int    // evictions of another since
}

// over says whether all evictions have been asked for.
func (e *evictor) over(wanted catalogue.Eviction) bool {
	return wanted != catalogue.EvictEdge || e.tries >= edgeTries
}

// act takes the next step: one pod first, as soon as both are ready and the
// budget, if there is one, allows it; then, in the same breath, the other.
func (e *evictor) act(ctx context.Context, w *watcher, pods []corev1.Pod) error {
	switch {
	case w.scaling.Evict == catalogue.EvictDry:
		return e.dry(ctx, w, pods)
	case w.scaling.Evict != catalogue.EvictEdge || e.over(catalogue.EvictEdge):
		return nil
	case e.first == "":
		return e.begin(ctx, w, pods)
	}
	return e.edge(ctx, w, pods)
}

// dry asks whether a ready pod may be evicted.
func (e *evictor) dry(ctx context.Context, w *watcher, pods []corev1.Pod) error {
	for i := range pods {
		if kube.Ready(&pods[i]) {
			return w.answered("dry", w.scene.cluster.EvictDry(ctx, kube.Ref{Namespace: pods[i].Namespace, Name: pods[i].Name}))
		}
	}
	return nil
}

// begin evicts a pod when two are ready. A budget that exists must have noticed
// them: before that it refuses for want of knowledge, not at its edge.
func (e *evictor) begin(ctx context.Context, w *watcher, pods []corev1.Pod) error {
	if readyOf(pods) < 2 {
		return nil
	}
	if waiting, err := w.unsure(ctx); err != nil || waiting {
		return err
	}
	for i := range pods {
		if kube.Ready(&pods[i]) {
			e.first = pods[i].Name
			err := w.answered("first", w.scene.cluster.Evict(ctx, kube.Ref{Namespace: pods[i].Namespace, Name: pods[i].Name}))
			return errors.Join(err, e.edge(ctx, w, pods))
		}
	}
	return nil
}

// unsure is true of a budget that does not yet allow what two replicas allow.
func (w *watcher) unsure(ctx context.Context) (bool, error) {
	allowed, exists, err := w.lookAtBudget(ctx)
	return exists && allowed == 0, err
}

// edge asks for the eviction of another ready pod while the first one's
// successor is not ready: after that the budget would rightly allow it.
func (e *evictor) edge(ctx context.Context, w *watcher, pods []corev1.Pod) error {
	if e.tries > 0 && readyOf(pods) > 1 {
		e.tries = edgeTries
		return nil
	}
	for i := range pods {
		if pods[i].Name == e.first || !kube.Ready(&pods[i]) {
			continue
		}
		e.tries++
		if _, _, err := w.lookAtBudget(ctx); err != nil {
			return err
		}
		return w.answered("edge", w.scene.cluster.Evict(ctx, kube.Ref{Namespace: pods[i].Namespace, Name: pods[i].Name}))
	}
	return nil
}

// answered records how the Eviction API answered; that it did not is an error.
func (w *watcher) answered(which string, err error) error {
	code, text, answered := kube.EvictionAnswer(err)
	if !answered {
		return err
	}
	return w.note(fmt.Sprintf("eviction/%s/%s", w.scaling.Waypoint, which), float64(code), text)
}

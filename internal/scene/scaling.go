package scene

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// scaled drives a stage's load, if it has one, while a watcher reads the
// replicas, and ends when the watcher has seen enough or its time is over.
func (s *Scene) scaled(ctx context.Context, index int, drive catalogue.Drive) error {
	if drive.Scaling.Replicas > 0 {
		if err := s.scale(ctx, map[string]int32{drive.Scaling.Waypoint: drive.Scaling.Replicas}); err != nil {
			return err
		}
		s.run.Stages[index].Base = time.Now().UTC()
	}
	w := &watcher{scene: s, index: index, scaling: *drive.Scaling}
	if drive.Load.Hits == 0 {
		return w.watch(ctx, nil)
	}
	loaded, watched := make(chan struct{}), make(chan error, 1)
	go func() { watched <- w.watch(ctx, loaded) }()
	err := s.attack(ctx, attack{index: index, enough: func(*record.Observation) bool { return w.done.Load() }})
	close(loaded)
	return errors.Join(err, <-watched)
}

// watcher reads a waypoint's replicas, and asks for evictions in between. It
// touches nothing of the scene but its cluster and its records, which bear it.
type watcher struct {
	scene   *Scene
	index   int
	scaling catalogue.Scaling
	done    atomic.Bool
	enough  time.Time // since when there have been enough replicas, or few enough
	began   time.Time // when the autoscaler was first looked at
	gait    gait
	evictor evictor
}

// watch looks until enough was seen, the time or the load is over, or ctx ends.
func (w *watcher) watch(ctx context.Context, loaded <-chan struct{}) error {
	defer w.done.Store(true)
	beat := time.NewTicker(w.scaling.Every)
	defer beat.Stop()
	for began := time.Now(); time.Since(began) < w.scaling.Lasts; {
		pods, err := w.look(ctx)
		if err != nil {
			return err
		}
		if err := w.evictor.act(ctx, w, pods); err != nil {
			return err
		}
		if w.sated(pods) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-loaded:
			return nil
		case <-beat.C:
		}
	}
	return nil
}

// sated says whether there have been enough ready replicas for long enough,
// after all evictions.
func (w *watcher) sated(pods []corev1.Pod) bool {
	ready, enough, few := readyOf(pods), w.scaling.Enough, w.scaling.Few
	if enough == 0 && few == 0 {
		return false
	}
	if ready < enough || few > 0 && ready > few || !w.evictor.over(w.scaling.Evict) {
		w.enough = time.Time{}
		return false
	}
	if w.enough.IsZero() {
		w.enough = time.Now()
	}
	return time.Since(w.enough) >= w.scaling.Hold
}

func readyOf(pods []corev1.Pod) int {
	ready := 0
	for i := range pods {
		if kube.Ready(&pods[i]) {
			ready++
		}
	}
	return ready
}

// note records one sample.
func (w *watcher) note(series string, value float64, text string) error {
	sample := &record.Sample{Stage: w.index, At: time.Now().UTC(), Series: series, Value: value, Text: text}
	return errors.Join(w.scene.writer.Sample(sample), w.scene.current.Sample(sample))
}

// look reads everything once and returns the waypoint's pods.
func (w *watcher) look(ctx context.Context) ([]corev1.Pod, error) {
	pods, err := w.scene.waypointPods(ctx, w.scaling.Waypoint)
	if err != nil {
		return nil, err
	}
	if err := w.note("waypoint/"+w.scaling.Waypoint+"/ready", float64(readyOf(pods)), ""); err != nil {
		return nil, err
	}
	if w.scaling.Autoscaler != "" {
		err = errors.Join(w.lookAtAutoscaler(ctx), w.lookAtUsage(ctx))
	}
	if w.scaling.Budget != "" {
		_, _, budgetErr := w.lookAtBudget(ctx)
		err = errors.Join(err, budgetErr)
	}
	return pods, err
}

func (s *Scene) autoscaler(ctx context.Context, ref kube.Ref) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	hpa, err := s.cluster.Set().AutoscalingV2().HorizontalPodAutoscalers(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get autoscaler %s: %w", ref, err)
	}
	return hpa, nil
}

// utilizationOf is the CPU that an autoscaler says it sees, in per cent of what
// the pods request.
func utilizationOf(hpa *autoscalingv2.HorizontalPodAutoscaler) (int32, bool) {
	for _, metric := range hpa.Status.CurrentMetrics {
		if metric.Resource != nil && metric.Resource.Name == corev1.ResourceCPU && metric.Resource.Current.AverageUtilization != nil {
			return *metric.Resource.Current.AverageUtilization, true
		}
	}
	return 0, false
}

// lookAtUsage records what the metrics API says a replica uses on average.
func (w *watcher) lookAtUsage(ctx context.Context) error {
	ref := refOf(w.scaling.Waypoint)
	usages, err := w.scene.cluster.PodUsage(ctx, ref.Namespace, "gateway.networking.k8s.io/gateway-name="+ref.Name)
	if err != nil || len(usages) == 0 {
		return err
	}
	total := int64(0)
	for _, usage := range usages {
		total += usage.CPUMilli
	}
	return w.note("waypoint/"+w.scaling.Waypoint+"/cpu", float64(total)/float64(len(usages)), fmt.Sprintf("%d pods", len(usages)))
}

// lookAtBudget records how many disruptions a budget allows. A budget that is
// not there has no samples, nor one whose status is not about it yet.
func (w *watcher) lookAtBudget(ctx context.Context) (allowed int32, exists bool, err error) {
	ref := refOf(w.scaling.Budget)
	pdb, err := w.scene.cluster.Set().PolicyV1().PodDisruptionBudgets(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("get disruption budget %s: %w", ref, err)
	}
	if pdb.Status.ObservedGeneration < pdb.Generation {
		return 0, true, nil
	}
	allowed = pdb.Status.DisruptionsAllowed
	return allowed, true, w.note("pdb/"+w.scaling.Budget+"/allowed", float64(allowed), "")
}

// calmWait bounds how long an autoscaler may take to know what it scales by.
const calmWait = 2 * time.Minute

// awaitScaling waits until an autoscaler knows the CPU of as many ready replicas
// as it wants, none of them above its target: from there load can be told from
// the start-up of pods.
func (s *Scene) awaitScaling(ctx context.Context, ref kube.Ref) error {
	return kube.Await(ctx, kube.Wait{What: "autoscaler " + ref.String() + " to be active and calm", Within: calmWait, Every: time.Second},
		func(ctx context.Context) (bool, string, error) {
			hpa, err := s.autoscaler(ctx, ref)
			if err != nil {
				return false, "", err
			}
			pods, err := s.waypointPods(ctx, ref.Namespace+"/"+hpa.Spec.ScaleTargetRef.Name)
			utilization, known := utilizationOf(hpa)
			ready := readyOf(pods)
			state := fmt.Sprintf("active %t, wants %d, %d ready, utilization %d %%", active(hpa), hpa.Status.DesiredReplicas, ready, utilization)
			calm := known && int(hpa.Status.DesiredReplicas) == ready && ready == int(*hpa.Spec.MinReplicas)
			return err == nil && active(hpa) && calm, state, err
		})
}

// active is the condition that an autoscaler can compute what it wants.
func active(hpa *autoscalingv2.HorizontalPodAutoscaler) bool {
	return stated(hpa, autoscalingv2.ScalingActive)
}

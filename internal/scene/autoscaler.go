package scene

import (
	"context"
	"errors"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// gait is how an autoscaler's wish moves over a stage.
type gait struct {
	last, way int32 // way is +1 up, -1 down, 0 before the first change
	turns     int
}

// see takes the next wish and says whether it is the first fall.
func (g *gait) see(desired int32, first bool) (fell bool) {
	way := g.way
	switch {
	case first || desired == g.last:
	case desired > g.last:
		way = 1
	default:
		way = -1
	}
	if g.way != 0 && way != g.way {
		g.turns++
	}
	fell = way == -1 && g.way == 0
	g.last, g.way = desired, way
	return fell
}

// lookAtAutoscaler records what an autoscaler says, and what follows from it.
func (w *watcher) lookAtAutoscaler(ctx context.Context) error {
	hpa, err := w.scene.autoscaler(ctx, refOf(w.scaling.Autoscaler))
	if err != nil {
		return err
	}
	tell := func(what string, value float64) error {
		return w.note("hpa/"+w.scaling.Autoscaler+"/"+what, value, "")
	}
	first := w.began.IsZero()
	if first {
		w.began = time.Now()
	}
	if w.gait.see(hpa.Status.DesiredReplicas, first) {
		err = tell("fall", time.Since(w.began).Seconds())
	}
	err = errors.Join(err,
		tell("min", float64(*hpa.Spec.MinReplicas)), tell("max", float64(hpa.Spec.MaxReplicas)),
		tell("current", float64(hpa.Status.CurrentReplicas)), tell("desired", float64(hpa.Status.DesiredReplicas)),
		tell("turns", float64(w.gait.turns)), tell("able", truth(stated(hpa, autoscalingv2.AbleToScale))),
		tell("active", truth(stated(hpa, autoscalingv2.ScalingActive))))
	if utilization, known := utilizationOf(hpa); known {
		err = errors.Join(err, tell("utilization", float64(utilization)), tell("settled", truth(settled(hpa, utilization))))
	}
	return err
}

// tolerance is how far an autoscaler lets CPU be from its target (the default of
// kube-controller-manager, one tenth).
const tolerance = 1.1

// settled is true of an autoscaler that has no reason to add a replica: its CPU
// is at the target, or it is at its maximum.
func settled(hpa *autoscalingv2.HorizontalPodAutoscaler, utilization int32) bool {
	if hpa.Status.CurrentReplicas >= hpa.Spec.MaxReplicas {
		return true
	}
	for _, metric := range hpa.Spec.Metrics {
		if metric.Resource != nil && metric.Resource.Name == corev1.ResourceCPU && metric.Resource.Target.AverageUtilization != nil {
			return float64(utilization) <= tolerance*float64(*metric.Resource.Target.AverageUtilization)
		}
	}
	return false
}

func stated(hpa *autoscalingv2.HorizontalPodAutoscaler, kind autoscalingv2.HorizontalPodAutoscalerConditionType) bool {
	for _, condition := range hpa.Status.Conditions {
		if condition.Type == kind {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

package scene

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
)

func pods(ready ...bool) []corev1.Pod {
	list := make([]corev1.Pod, len(ready))
	for i, is := range ready {
		status := corev1.ConditionFalse
		if is {
			status = corev1.ConditionTrue
		}
		list[i].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	}
	return list
}

func TestAWatcherIsSatedByEnoughReplicasForLongEnough(t *testing.T) {
	w := &watcher{scaling: catalogue.Scaling{Enough: 2, Hold: time.Nanosecond}}
	assert.False(t, w.sated(pods(true, false)))
	assert.False(t, w.sated(pods(true, false, false)), "only ready ones count")
	w.sated(pods(true, true))
	assert.True(t, w.sated(pods(true, true)))

	w.scaling.Hold = time.Hour
	assert.False(t, w.sated(pods(true, true)), "not for long enough")

	w.scaling.Hold = time.Nanosecond
	leaving := pods(true, true)
	leaving[0].DeletionTimestamp = &metav1.Time{Time: time.Now()}
	assert.False(t, w.sated(leaving), "a pod on its way out is not ready")
	assert.True(t, w.enough.IsZero(), "the hold begins anew")

	w.scaling.Evict = catalogue.EvictEdge
	assert.False(t, w.sated(pods(true, true)), "evictions are still to be asked for")
	w.evictor.tries = edgeTries
	w.sated(pods(true, true))
	assert.True(t, w.sated(pods(true, true)))

	assert.False(t, (&watcher{}).sated(pods(true, true)), "nothing is enough where nothing is asked for")
}

func TestAnAutoscalerSaysWhatItSees(t *testing.T) {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	_, known := utilizationOf(hpa)
	assert.False(t, known)
	assert.False(t, active(hpa))

	percent := int32(73)
	hpa.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{
		{Type: autoscalingv2.AbleToScale, Status: corev1.ConditionTrue}, {Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse},
	}
	hpa.Status.CurrentMetrics = []autoscalingv2.MetricStatus{
		{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricStatus{Name: corev1.ResourceMemory}},
		{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricStatus{
			Name: corev1.ResourceCPU, Current: autoscalingv2.MetricValueStatus{AverageUtilization: &percent},
		}},
	}
	seen, known := utilizationOf(hpa)
	assert.True(t, known)
	assert.Equal(t, percent, seen)
	assert.False(t, active(hpa), "able to scale is not active")
	hpa.Status.Conditions[1].Status = corev1.ConditionTrue
	assert.True(t, active(hpa))
}

func TestWhatAnEnvironmentLacksIsNotPlayed(t *testing.T) {
	s := &Scene{}
	needs := record.Promise{ID: "needs", Requires: []string{"retry"}}
	scenario := catalogue.Scenario{Promises: []record.Promise{needs, {ID: "plain"}}}
	s.run.Plan.Promises = scenario.Promises[:1]
	assert.True(t, s.offered(scenario))
	s.run.Environment.Lacks = []record.Lack{{Ability: "metrics"}, {Ability: "retry"}}
	assert.False(t, s.offered(scenario))
	s.run.Plan.Promises = scenario.Promises
	assert.True(t, s.offered(scenario), "one promise can be judged here")
}

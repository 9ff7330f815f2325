package scene

import (
	"testing"

	"github.com/stretchr/testify/assert"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

func TestAnAutoscalersGait(t *testing.T) {
	for _, c := range []struct {
		wishes []int32
		turns  int
		fallAt int // index, -1 for never
	}{
		{[]int32{2, 2, 3, 4, 4}, 0, -1},
		{[]int32{2, 4, 3}, 1, -1}, // a fall after a rise is a turn
		{[]int32{4, 4, 3, 2, 2}, 0, 2},
		{[]int32{4, 3, 4, 3}, 2, 1},
		{[]int32{0}, 0, -1},
	} {
		var g gait
		fallAt := -1
		for i, wish := range c.wishes {
			if g.see(wish, i == 0) {
				fallAt = i
			}
		}
		assert.Equal(t, c.turns, g.turns, c.wishes)
		assert.Equal(t, c.fallAt, fallAt, c.wishes)
	}
}

func TestAnAutoscalerIsSettledAtItsTargetOrItsMaximum(t *testing.T) {
	fifty := int32(50)
	hpa := &autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 5, Metrics: []autoscalingv2.MetricSpec{{
		Resource: &autoscalingv2.ResourceMetricSource{Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{AverageUtilization: &fifty}},
	}}}}
	hpa.Status.CurrentReplicas = 3
	assert.True(t, settled(hpa, 55))
	assert.False(t, settled(hpa, 56))
	hpa.Status.CurrentReplicas = 5
	assert.True(t, settled(hpa, 200))
	assert.False(t, stated(hpa, autoscalingv2.AbleToScale))
	assert.InDelta(t, 1, truth(true), 0)
}

package fault

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
)

func TestAContainerThatEnded(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	of := func(restarts int32, state corev1.ContainerState) corev1.Pod {
		return corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "proxy", RestartCount: restarts, State: state}}}}
	}
	before := of(1, running)
	for name, c := range map[string]struct {
		now  corev1.Pod
		want bool
	}{
		"as before":       {of(1, running), false},
		"started again":   {of(2, running), true},
		"waits for a try": {of(1, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}), true},
	} {
		done, state := ended(before, c.now)
		assert.Equal(t, c.want, done, name)
		assert.NotEmpty(t, state)
	}
}

package scene

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOnlyPodsThatLeftBeforeTheStageAreNoWitnesses(t *testing.T) {
	asked := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	ends := metav1.NewTime(asked.Add(30 * time.Second))
	leaving := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &ends, DeletionGracePeriodSeconds: new(int64(30))}}
	assert.False(t, leftBefore(&corev1.Pod{}, asked), "stays")
	assert.True(t, leftBefore(leaving, asked.Add(time.Second)), "was asked to go a second before")
	assert.False(t, leftBefore(leaving, asked.Add(-time.Second)), "was asked to go during the stage, within its grace")
}

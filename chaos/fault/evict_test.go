package fault

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos"
)

func pod(name, node string) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, Labels: map[string]string{"app": "waypoint"}},
		Spec:       corev1.PodSpec{NodeName: node},
	}
}

func TestTheBudgetThatBlocksForEverIsTold(t *testing.T) {
	mine := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "waypoint"}}
	others := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "other"}}
	for name, c := range map[string]struct {
		selector *metav1.LabelSelector
		status   policyv1.PodDisruptionBudgetStatus
		want     bool
	}{
		"all healthy, none may go":   {mine, policyv1.PodDisruptionBudgetStatus{ExpectedPods: 1, CurrentHealthy: 1, DesiredHealthy: 1}, true},
		"one is missing for a while": {mine, policyv1.PodDisruptionBudgetStatus{ExpectedPods: 2, CurrentHealthy: 1, DesiredHealthy: 1}, false},
		"one may go":                 {mine, policyv1.PodDisruptionBudgetStatus{ExpectedPods: 2, CurrentHealthy: 2, DesiredHealthy: 1, DisruptionsAllowed: 1}, false},
		"of other pods":              {others, policyv1.PodDisruptionBudgetStatus{ExpectedPods: 1, CurrentHealthy: 1, DesiredHealthy: 1}, false},
		"counts nothing yet":         {mine, policyv1.PodDisruptionBudgetStatus{}, false},
	} {
		budget := policyv1.PodDisruptionBudget{Spec: policyv1.PodDisruptionBudgetSpec{Selector: c.selector}, Status: c.status}
		assert.Equal(t, c.want, blocks(budget, pod("a", "x")), name)
	}
	stale := policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Generation: 2}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: mine},
		Status: policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, ExpectedPods: 1, CurrentHealthy: 1},
	}
	assert.False(t, blocks(stale, pod("a", "x")), "its status is not about it yet")
}

func TestAnswersOfTheEvictionAPIAreNoted(t *testing.T) {
	type sample struct {
		series string
		value  float64
		text   string
	}
	var noted []sample
	site := Site{Note: func(series string, value float64, text string) { noted = append(noted, sample{series, value, text}) }}
	site.answered(chaos.SeriesFirst, pod("a", "x"), nil)
	site.answered(chaos.SeriesEdge, pod("b", "x"), apierrors.NewTooManyRequests("no", 10))
	require.Len(t, noted, 2)
	assert.Equal(t, sample{chaos.SeriesFirst, http.StatusCreated, "n/a: accepted"}, noted[0])
	assert.InDelta(t, http.StatusTooManyRequests, noted[1].value, 0)
	site.answered(chaos.SeriesEdge, pod("b", "x"), errors.New("connection refused"))
	assert.Len(t, noted, 2, "no answer is no code")
	Site{}.answered(chaos.SeriesFirst, pod("a", "x"), nil)
}

func TestNodesAreDrainedOnceEach(t *testing.T) {
	assert.Equal(t, []string{"x", "y"}, nodesOf([]corev1.Pod{pod("a", "x"), pod("b", "y"), pod("c", "x")}))
	cordon, back, err := cordons("x")
	require.NoError(t, err)
	assert.JSONEq(t, `{"spec":{"unschedulable":true}}`, string(cordon.Request.Body))
	assert.JSONEq(t, `{"spec":{"unschedulable":null}}`, string(back.Request.Body))
}

func TestEvidenceIsOfAllAndNotOfSome(t *testing.T) {
	for look, want := range map[string]bool{
		"envoy 12 T": true, "envoy 12 T, envoy 13 T": true, "envoy 12 T, envoy 13 R": false,
		"envoy 12 D": false, "no such process": false, "": false,
	} {
		assert.Equal(t, want, allStopped(look), look)
	}
	for look, want := range map[string]bool{
		"1 burning, 4.2 s of CPU burnt": true, "1 burning, 0.2 s of CPU burnt": false, "0 burning, 0.0 s of CPU burnt": false, "": false,
	} {
		assert.Equal(t, want, burnt(look), look)
	}
	for look, want := range map[string]bool{
		"qdisc netem 8001: root refcnt 2 limit 1000 delay 100ms": true,
		"held 12 packets by 100ms each, 0 dropped":               true,
		"held 0 packets by 100ms each, 0 dropped":                false,
		"": false,
	} {
		assert.Equal(t, want, late(look), look)
	}
}

func TestARestartIsAlwaysAChange(t *testing.T) {
	now := time.Now()
	assert.NotEqual(t, stamped(now), stamped(now.Add(time.Microsecond)))
}

package scene

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestABudgetIsHeldAgainstItsOwnFigures(t *testing.T) {
	going := map[string]metav1.Time{"a": metav1.Now()}
	for name, c := range map[string]struct {
		status policyv1.PodDisruptionBudgetStatus
		off    int32
	}{
		"two healthy, one desired":        {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 2, DesiredHealthy: 1, DisruptionsAllowed: 1}, 0},
		"at the edge":                     {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 1, DesiredHealthy: 1}, 0},
		"beyond the edge":                 {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 0, DesiredHealthy: 1}, 0},
		"an eviction charged at once":     {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 2, DesiredHealthy: 1, DisruptedPods: going}, 0},
		"an eviction counted already":     {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 2, DesiredHealthy: 1, DisruptionsAllowed: 1, DisruptedPods: going}, 0},
		"one too many":                    {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 1, DesiredHealthy: 1, DisruptionsAllowed: 1}, 1},
		"one too few":                     {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 2, DesiredHealthy: 1}, 1},
		"too few, whatever was disrupted": {policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 4, DesiredHealthy: 1, DisruptedPods: going}, 2},
	} {
		off, text := misjudged(c.status)
		assert.Equal(t, c.off, off, name)
		assert.NotEmpty(t, text)
	}
}

// The text is what nft lists, with its white space folded.
func TestPacketsAreCountedByTheirRule(t *testing.T) {
	look := `chain input { type filter hook input priority mangle; policy accept; tcp dport 15008 counter packets 812 bytes 65000 ` +
		`iifname "eth0" tcp dport { 8000, 15006 } ip saddr { 10.244.0.0/24, 10.244.1.0/24 } ip saddr != { 10.244.0.1, 10.244.1.1 } counter packets 3 bytes 180 } ` +
		`chain output { type filter hook output priority mangle; policy accept; }`
	for port, want := range map[string]int{"15008": 812, "{ 8000, 15006 }": 3} {
		packets, found := countedAt(look, port)
		assert.True(t, found)
		assert.Equal(t, want, packets)
	}
	for _, gone := range []string{"", strings.ReplaceAll(look, "dport 15008", "dport 443")} {
		_, found := countedAt(gone, "15008")
		assert.False(t, found, "a rule that is not there has not counted nothing")
	}
}

func TestTheCountersOfAPodAreItsOwn(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: types.UID("u")}, Spec: corev1.PodSpec{NodeName: "n"}}
	d := witnessAt(pod, "ip saddr { 10.244.0.0/24 }")
	assert.Equal(t, "u", d.Pod)
	assert.Equal(t, "n", d.Node)
	assert.Equal(t, `iifname "eth0" tcp dport { 8000, 15006 } ip saddr { 10.244.0.0/24 } counter`, d.Rules[1].Text)
	assert.Equal(t, 2, truths(map[string]bool{"a": true, "b": false, "c": true}))
}

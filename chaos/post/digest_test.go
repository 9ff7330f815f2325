package post

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/kube"
)

func TestADigestTellsEveryDifference(t *testing.T) {
	before := Digest{"node a": "cordoned false", "deployment d": "2 replicas", "left on a": ""}
	assert.Empty(t, before.Differences(Digest{"node a": "cordoned false", "deployment d": "2 replicas", "left on a": ""}))
	assert.Equal(t, []string{
		`deployment d was "2 replicas", is ""`, `node a was "cordoned false", is "cordoned true"`, `pledge p was "", is "kill"`,
	}, before.Differences(Digest{"node a": "cordoned true", "left on a": "", "pledge p": "kill"}))
}

// The rights of the watchdog are as small as what pledges need.
func TestTheWatchdogMayOnlyUndo(t *testing.T) {
	p := New(nil, kube.Owner{Run: "r"}, "agent:1")
	p.reach = Reach{Undo: []string{"demo"}, Read: []string{"demo", "proxies"}}
	objects, err := p.objects()
	require.NoError(t, err)
	images := 0
	for _, manifest := range objects {
		assert.NotEqual(t, "proxies", manifest.Object.GetNamespace(), "what is only read needs no right")
		switch manifest.Object.GetKind() {
		case "Role", "ClusterRole":
			rules, _ := manifest.Object.Object["rules"].([]any)
			for _, rule := range rules {
				fields, _ := rule.(map[string]any)
				assert.NotContains(t, fields["verbs"], "*", manifest)
				assert.NotContains(t, fields["verbs"], "create", manifest)
				if manifest.Object.GetNamespace() == "demo" {
					assert.Equal(t, []any{"patch"}, fields["verbs"], "no pledged step does more")
				}
				assert.NotContains(t, fields["resources"], "secrets", manifest)
				assert.NotContains(t, fields["resources"], "pods/exec", manifest)
			}
		case "Deployment", "DaemonSet":
			text, err := manifest.Object.MarshalJSON()
			require.NoError(t, err)
			assert.Contains(t, string(text), "agent:1")
			images++
		}
	}
	assert.Equal(t, 2, images)
}

func TestANodeWithoutAReadyHandIsNotClean(t *testing.T) {
	hand := func(node string, ready corev1.ConditionStatus) corev1.Pod {
		return corev1.Pod{
			Spec:   corev1.PodSpec{NodeName: node},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
		}
	}
	pods := []corev1.Pod{hand("b", corev1.ConditionTrue), hand("a", corev1.ConditionTrue), hand("c", corev1.ConditionFalse)}
	names, err := handed(pods[:2], 2)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, names)
	_, err = handed(pods, 3)
	require.ErrorContains(t, err, "2 of 3 nodes")
	_, err = handed(nil, 0)
	require.Error(t, err, "a set that wants no node says nothing of any")
}

func TestPodsAreToldApart(t *testing.T) {
	one, err := podsLike(corev1.PodSpec{Containers: []corev1.Container{{Image: "proxy:1"}}})
	require.NoError(t, err)
	other, err := podsLike(corev1.PodSpec{Containers: []corev1.Container{{Image: "proxy:1", Args: []string{"x"}}}})
	require.NoError(t, err)
	assert.Contains(t, one, "proxy:1")
	assert.NotEqual(t, one, other)
}

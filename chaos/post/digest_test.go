package post

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	p.reach = []string{"demo"}
	objects, err := p.objects()
	require.NoError(t, err)
	images := 0
	for _, manifest := range objects {
		switch manifest.Object.GetKind() {
		case "Role", "ClusterRole":
			rules, _ := manifest.Object.Object["rules"].([]any)
			for _, rule := range rules {
				fields, _ := rule.(map[string]any)
				assert.NotContains(t, fields["verbs"], "*", manifest)
				assert.NotContains(t, fields["verbs"], "create", manifest)
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

package scheduled

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/kube"
)

// TestTheRoleReachesEveryKindThatAScenarioApplies: what a scenario brings is
// looked at, applied, listed by the sweep, and removed.
func TestTheRoleReachesEveryKindThatAScenarioApplies(t *testing.T) {
	shipped, err := build("../../deploy/base")
	require.NoError(t, err)
	var role rbacv1.ClusterRole
	for _, manifest := range shipped {
		if manifest.Object.GetKind() == "ClusterRole" {
			require.NoError(t, kube.Into(manifest.Object, &role))
		}
	}
	require.NotEmpty(t, role.Rules)
	kinds := map[string]bool{}
	for _, name := range manifests.Names() {
		objects, err := manifests.Objects(name)
		require.NoError(t, err)
		for _, object := range objects {
			kind := object.GroupVersionKind()
			kinds[kind.Kind] = true
			for _, verb := range []string{"get", "list", "create", "patch", "delete"} {
				assert.True(t, allows(role, kind.Group, plural(kind.Kind), verb), "%s: %s %s", name, verb, kind.GroupKind())
			}
		}
	}
	assert.Greater(t, len(kinds), 8)
}

// plural is the resource of a kind.
func plural(kind string) string {
	lower := strings.ToLower(kind)
	if stem, y := strings.CutSuffix(lower, "y"); y && !strings.HasSuffix(stem, "a") { // gateway, but policy and telemetry
		return stem + "ies"
	}
	return lower + "s"
}

func allows(role rbacv1.ClusterRole, group, resource, verb string) bool {
	return slices.ContainsFunc(role.Rules, func(rule rbacv1.PolicyRule) bool {
		return slices.Contains(rule.APIGroups, group) && slices.Contains(rule.Resources, resource) && slices.Contains(rule.Verbs, verb)
	})
}

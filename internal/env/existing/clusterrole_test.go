package existing

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// shippedRole reads the ClusterRole of the scheduled runs.
func shippedRole(t *testing.T) rbacv1.ClusterRole {
	t.Helper()
	text, err := os.ReadFile("../../../deploy/base/rbac.yaml")
	require.NoError(t, err)
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		if !strings.Contains(document, "kind: ClusterRole\n") || strings.Contains(document, "roleRef") {
			continue
		}
		var role rbacv1.ClusterRole
		require.NoError(t, yaml.UnmarshalStrict([]byte(document), &role))
		return role
	}
	t.Fatal("no ClusterRole in deploy/base/rbac.yaml")
	return rbacv1.ClusterRole{}
}

// TestShippedRoleIsExactlyWhatARunNeeds holds deploy/ against the preflight:
// a right that is missing fails every scheduled run, one too many is one too
// many.
func TestShippedRoleIsExactlyWhatARunNeeds(t *testing.T) {
	var needed, given []string
	for _, demand := range demands() {
		for _, question := range demand.questions() {
			needed = append(needed, describe(question))
		}
	}
	for _, rule := range shippedRole(t).Rules {
		require.NotContains(t, rule.Resources, "*")
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					text := verb + " " + resource
					if group != "" {
						text += "." + group
					}
					given = append(given, text)
				}
			}
		}
	}
	assert.ElementsMatch(t, needed, given)
}

//go:build cluster

package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLentLabelsGoAndOthersStay(t *testing.T) {
	cluster := connect(t)
	owner := owned(t, cluster)
	made := "apiVersion: v1\nkind: Namespace\nmetadata: {name: wayproof-label-test, labels: {kept: a}}\n"
	lent := decoded(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: wayproof-label-test, labels: {kept: a, lent: b}}\n")
	require.ErrorIs(t, cluster.Lend(t.Context(), owner, lent), errNothing)
	require.NoError(t, cluster.Reclaim(t.Context(), lent))
	live, err := cluster.Read(t.Context(), KindNamespace, Ref{Name: "wayproof-label-test"})
	require.NoError(t, err)
	require.Nil(t, live, "nothing may be made by labelling it")

	_, err = cluster.Apply(t.Context(), owner, decoded(t, made))
	require.NoError(t, err)
	require.NoError(t, cluster.Lend(t.Context(), owner, lent))
	assert.Equal(t, "b", labelsOf(t, cluster)["lent"])
	for range 2 {
		require.NoError(t, cluster.Reclaim(t.Context(), lent))
		labels := labelsOf(t, cluster)
		assert.NotContains(t, labels, "lent")
		assert.Equal(t, "a", labels["kept"])
		assert.True(t, Ours(labels))
	}
}

func labelsOf(t *testing.T, cluster *Cluster) map[string]string {
	t.Helper()
	live, err := cluster.Read(t.Context(), KindNamespace, Ref{Name: "wayproof-label-test"})
	require.NoError(t, err)
	require.NotNil(t, live)
	return live.GetLabels()
}

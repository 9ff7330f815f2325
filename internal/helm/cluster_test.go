//go:build cluster

package helm

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const testNamespace = "wayproof-helm-test"

// TestARelease goes through a release's life, with the interruptions that a
// killed process leaves behind.
func TestARelease(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	require.NoError(t, err)
	set, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		_ = set.CoreV1().Namespaces().Delete(ctx, testNamespace, metav1.DeleteOptions{})
	})
	file := filepath.Join(t.TempDir(), "demo.tgz")
	require.NoError(t, os.WriteFile(file, archive(t), 0o600))
	client := New(config, nil)
	want := Release{
		Name: "demo", Namespace: testNamespace, CreateNamespace: true,
		Source: Source{Path: file}, Values: map[string]any{"word": "one"},
	}
	word := func() string {
		found, err := set.CoreV1().ConfigMaps(testNamespace).Get(t.Context(), "demo", metav1.GetOptions{})
		require.NoError(t, err)
		return found.Data["word"]
	}
	ensure := func(outcome Outcome) {
		t.Helper()
		got, err := client.Ensure(t.Context(), want)
		require.NoError(t, err)
		assert.Equal(t, outcome, got)
	}
	ensure(Installed)
	ensure(Unchanged)
	want.Values = map[string]any{"word": "two"}
	ensure(Upgraded)
	assert.Equal(t, "two", word())

	for _, status := range []release.Status{release.StatusPendingUpgrade, release.StatusFailed, release.StatusUninstalling} {
		leave(t, client, status)
		ensure(Repaired)
		ensure(Unchanged)
		assert.Equal(t, "two", word(), status)
	}
	status, err := client.Status(testNamespace, "demo")
	require.NoError(t, err)
	assert.Equal(t, release.StatusDeployed, status)
}

// leave puts the last revision into the state in which a process died.
func leave(t *testing.T, client *Client, status release.Status) {
	t.Helper()
	configuration, err := client.in(testNamespace)
	require.NoError(t, err)
	last, err := lastOf(configuration, "demo")
	require.NoError(t, err)
	last.SetStatus(status, "test")
	require.NoError(t, configuration.Releases.Update(last))
}

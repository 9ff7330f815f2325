package kube

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfig points at a server.
func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: server}
	config.Contexts["c"] = &clientcmdapi.Context{Cluster: "c"}
	config.CurrentContext = "c"
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, clientcmd.WriteToFile(*config, file))
	return file
}

func TestConnectReadsTheVersion(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"gitVersion":"v1.36.3"}`))
	}))
	t.Cleanup(server.Close)
	cluster, err := Connect(t.Context(), kubeconfig(t, server.URL), "")
	require.NoError(t, err)
	assert.Equal(t, "v1.36.3", cluster.Version())
	assert.Equal(t, server.URL, cluster.Host())
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + closed.Addr().String()
	require.NoError(t, closed.Close())

	_, err = Connect(t.Context(), filepath.Join(t.TempDir(), "nope"), "")
	assert.ErrorContains(t, err, "no such file")
	_, err = Connect(t.Context(), kubeconfig(t, nobody), "other")
	assert.ErrorContains(t, err, `context "other"`)
	_, err = Connect(t.Context(), kubeconfig(t, nobody), "")
	assert.ErrorContains(t, err, "connection refused")
}

func TestConnectDoesNotWaitForASilentServer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Connect(ctx, kubeconfig(t, server.URL), "")
	assert.ErrorContains(t, err, "does not answer within 5s")
}

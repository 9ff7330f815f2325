package main

import (
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// TestMain lets the test binary be the adapter itself, so that the tests below run the real process.
func TestMain(m *testing.M) {
	if os.Getenv("WAYPROOF_TEST_IS_ADAPTER") != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestVersionGoesStraightToEnvoy(t *testing.T) {
	output, err := adapterCommand(t, realEnvoy(t), "--version").CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(output), "BoringSSL")
}

func TestAdapterExplainsABadStart(t *testing.T) {
	for name, c := range map[string]struct{ bootstrap, want string }{
		"no file":   {"", "read bootstrap"},
		"no object": {"[]", "adapt bootstrap"},
	} {
		path := t.TempDir() + "/bootstrap.json"
		if c.bootstrap != "" {
			require.NoError(t, os.WriteFile(path, []byte(c.bootstrap), 0o600))
		}
		command := adapterCommand(t, "/bin/true", "-c", path)
		output, err := command.CombinedOutput()
		require.Error(t, err, name)
		assert.Equal(t, 1, command.ProcessState.ExitCode(), name)
		assert.Contains(t, string(output), c.want, name)
	}
}

func TestUpstreamEnvoyServesIstiosConfiguration(t *testing.T) {
	p := startPod(t)
	p.push(t, clusterType, backendCluster(t, p.backend))
	p.accepted(t, clusterType)
	p.push(t, listenerType, httpListener(t, "shop", p.ports.listener, false))
	p.accepted(t, listenerType)
	p.eventually(t, p.url(p.ports.listener, "/"), http.StatusOK, "from the backend")
	p.eventually(t, p.url(p.ports.status, "/healthz/ready"), http.StatusOK, "agent says ready")

	p.push(t, listenerType, httpListener(t, "broken", p.ports.spare, true))
	reason := p.rejected(t, listenerType)
	assert.Contains(t, reason, "broken")
	code, body := p.get(t, p.url(p.ports.status, "/healthz/ready"))
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, "Listener broken:")
	assert.Contains(t, body, "example.NobodyKnows")

	p.push(t, clusterType, backendCluster(t, p.backend))
	p.accepted(t, clusterType)
	code, _ = p.get(t, p.url(p.ports.status, "/healthz/ready"))
	assert.Equal(t, http.StatusServiceUnavailable, code, "another type settles nothing")
	code, body = p.get(t, p.url(p.ports.listener, "/"))
	assert.Equal(t, http.StatusOK, code, "what was accepted keeps serving")
	assert.Equal(t, "from the backend", body)

	p.push(t, listenerType, httpListener(t, "broken", p.ports.spare, false))
	p.accepted(t, listenerType)
	code, body = p.get(t, p.url(p.ports.status, "/healthz/ready"))
	assert.Equal(t, http.StatusOK, code)
	assert.Equal(t, "agent says ready", body)
	p.eventually(t, p.url(p.ports.spare, "/"), http.StatusOK, "from the backend")

	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.command.Wait(), "Envoy's exit code on SIGTERM is 0:\n%s", p.output())
	_, err := http.Get(p.url(p.ports.admin, "/ready"))
	require.Error(t, err, "Envoy ended with the adapter")
	assert.Contains(t, p.output(), `msg="dropped HTTP filter" scope=envoy-adapter name=stats.PluginConfig`)
	assert.Contains(t, p.output(), "envoy rejected configuration")
}

// The recorded waypoint is the proof that the list of what has to change is complete for this Istio.
func TestUpstreamEnvoyAcceptsTheRecordedWaypoint(t *testing.T) {
	for _, folder := range []string{"waypoint", "waypoint-baggage"} {
		t.Run(folder, func(t *testing.T) {
			p := startPod(t)
			for _, step := range []struct{ file, kind string }{
				{"0001-Cluster", clusterType}, {"0002-ClusterLoadAssignment", endpointType}, {"0003-Listener", listenerType},
			} {
				raw, err := os.ReadFile("testdata/" + folder + "/" + step.file + "-DeltaDiscoveryResponse.binpb")
				require.NoError(t, err)
				response := &discovery.DeltaDiscoveryResponse{}
				require.NoError(t, proto.Unmarshal(raw, response))
				onLoopback(t, response, p.ports.listener)
				p.send(t, response)
				p.accepted(t, step.kind)
			}
			p.eventually(t, p.url(p.ports.admin, "/ready"), http.StatusOK, "LIVE\n")
			p.eventually(t, p.url(p.ports.status, "/healthz/ready"), http.StatusOK, "agent says ready")
		})
	}
}

func TestUnadaptedConfigurationIsRejectedByUpstreamEnvoy(t *testing.T) {
	p := startPod(t)
	p.push(t, clusterType, backendCluster(t, p.backend))
	p.accepted(t, clusterType)
	// The same filter where the rewriter does not reach it: inside a discovered resource of its own.
	listener := discoveredFilterListener(t, "ecds", p.ports.listener, "example.filter")
	p.push(t, listenerType, listener)
	p.accepted(t, listenerType)
	p.push(t, extensionType, extension(t, "example.filter", &anypb.Any{TypeUrl: "type.googleapis.com/stats.PluginConfig"}))
	assert.Contains(t, p.rejected(t, extensionType), "stats.PluginConfig")
	p.push(t, extensionType, extension(t, "example.filter", routerConfig(t)))
	p.accepted(t, extensionType)
}

func (p *pod) get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := p.client.Get(url)
	require.NoError(t, err, "%s", p.output())
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

// eventually waits for a listener that Envoy has accepted but whose workers may not serve it yet.
func (p *pod) eventually(t *testing.T, url string, code int, body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		response, err := p.client.Get(url)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		got, err := io.ReadAll(response.Body)
		return err == nil && response.StatusCode == code && string(got) == body
	}, 15*time.Second, 20*time.Millisecond, "%s\n%s", url, p.output())
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wayproof/wayproof/images/envoy/internal/fakeagent"
)

const (
	clusterType   = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	listenerType  = "type.googleapis.com/envoy.config.listener.v3.Listener"
	endpointType  = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	extensionType = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
)

// pod is what runs in a proxy pod, on loopback: the adapter's process with the real Envoy under it, an
// agent's discovery socket and status server, and a backend to send requests to.
type pod struct {
	agent   *fakeagent.Agent
	command *exec.Cmd
	client  *http.Client
	backend string
	ports   struct{ admin, status, metrics, listener, spare int }
	nonce   int
	asked   map[string]bool // types that Envoy has requested so far
	text    *text
}

// text collects output of a running process.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *text) Write(p []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.buf.Write(p) }

func (p *pod) output() string { p.text.mu.Lock(); defer p.text.mu.Unlock(); return p.text.buf.String() }

func (p *pod) url(port int, path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", port, path)
}

// realEnvoy is the path of an upstream Envoy, see wheel.lock for how to get it.
func realEnvoy(t *testing.T) string {
	t.Helper()
	path := os.Getenv("WAYPROOF_ENVOY_BINARY")
	if path == "" {
		t.Skip("WAYPROOF_ENVOY_BINARY does not name an upstream Envoy (wheel.lock says where to get it)")
	}
	_, err := os.Stat(path)
	require.NoError(t, err)
	return path
}

func adapterCommand(t *testing.T, envoy string, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), "WAYPROOF_TEST_IS_ADAPTER=1", "WAYPROOF_ENVOY="+envoy)
	return command
}

func serveText(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func startPod(t *testing.T) *pod {
	t.Helper()
	envoy := realEnvoy(t)
	dir, err := os.MkdirTemp("", "pod") // a socket's path has to be short
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	p := &pod{client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}, text: &text{}, asked: map[string]bool{}}
	p.backend = serveText(t, "from the backend")
	for _, port := range []*int{&p.ports.admin, &p.ports.status, &p.ports.metrics, &p.ports.listener, &p.ports.spare} {
		*port = freePort(t)
	}
	p.agent, err = fakeagent.Start(filepath.Join(dir, "XDS"))
	require.NoError(t, err)
	t.Cleanup(p.agent.Stop)
	serveSecrets(t, filepath.Join(dir, "SDS"))
	path := filepath.Join(dir, "envoy-rev.json")
	require.NoError(t, os.WriteFile(path, p.bootstrap(t, dir, serveText(t, "agent says ready")), 0o600))
	p.command = adapterCommand(t, envoy, "-c", path, "--concurrency", "1", "--drain-time-s", "1", "--drain-strategy", "immediate",
		"--local-address-ip-version", "v4", "--disable-hot-restart", "--allow-unknown-static-fields", "-l", "warning")
	p.command.Stdout, p.command.Stderr = p.text, p.text
	require.NoError(t, p.command.Start())
	t.Cleanup(func() {
		if p.command.ProcessState == nil {
			_ = p.command.Process.Kill()
			_ = p.command.Wait()
		}
	})
	return p
}

// bootstrap is the recorded one of pilot-agent, moved to free ports and the test's directory.
func (p *pod) bootstrap(t *testing.T, dir, agent string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/waypoint/bootstrap.json")
	require.NoError(t, err)
	_, agentPort, err := net.SplitHostPort(agent)
	require.NoError(t, err)
	ports := map[string]string{
		"15000": strconv.Itoa(p.ports.admin), "15020": agentPort,
		"15021": strconv.Itoa(p.ports.status), "15090": strconv.Itoa(p.ports.metrics),
	}
	pairs := []string{
		"./etc/istio/proxy/XDS", filepath.Join(dir, "XDS"),
		"./var/run/secrets/workload-spiffe-uds/socket", filepath.Join(dir, "SDS"), `"address": "0.0.0.0"`, `"address": "127.0.0.1"`,
	}
	for standard, free := range ports {
		pairs = append(pairs, `"port_value": `+standard, `"port_value": `+free)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(raw)))
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// push sends one resource in a delta response.
func (p *pod) push(t *testing.T, kind string, resource *discovery.Resource) {
	t.Helper()
	p.send(t, &discovery.DeltaDiscoveryResponse{TypeUrl: kind, Resources: []*discovery.Resource{resource}})
}

func (p *pod) send(t *testing.T, response *discovery.DeltaDiscoveryResponse) {
	t.Helper()
	p.subscribed(t, response.GetTypeUrl())
	p.nonce++
	response.Nonce = strconv.Itoa(p.nonce)
	p.agent.DeltaResponses <- response
}

// await takes Envoy's requests until one of them, or one before, is what is asked for.
func (p *pod) await(t *testing.T, what string, found func(*discovery.DeltaDiscoveryRequest) bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case request := <-p.agent.DeltaRequests:
			p.asked[request.GetTypeUrl()] = true
			if found(request) {
				return
			}
		case <-limit:
			require.FailNow(t, "Envoy did not say within 20 s", "%s\n%s", what, p.output())
		}
	}
}

// subscribed waits until Envoy wants resources of the type; it drops what comes unasked.
func (p *pod) subscribed(t *testing.T, kind string) {
	t.Helper()
	if !p.asked[kind] {
		p.await(t, "subscription to "+kind, func(*discovery.DeltaDiscoveryRequest) bool { return p.asked[kind] })
	}
}

// answer is the request with which Envoy answers the response sent last.
func (p *pod) answer(t *testing.T, kind string) (answer *discovery.DeltaDiscoveryRequest) {
	t.Helper()
	p.await(t, "answer of "+kind, func(request *discovery.DeltaDiscoveryRequest) bool {
		answer = request
		return request.GetTypeUrl() == kind && request.GetResponseNonce() == strconv.Itoa(p.nonce)
	})
	return answer
}

func (p *pod) accepted(t *testing.T, kind string) {
	t.Helper()
	require.Nil(t, p.answer(t, kind).GetErrorDetail(), "%s", p.output())
}

func (p *pod) rejected(t *testing.T, kind string) string {
	t.Helper()
	answer := p.answer(t, kind)
	require.NotNil(t, answer.GetErrorDetail())
	return answer.GetErrorDetail().GetMessage()
}

func resource(name string, config *anypb.Any) *discovery.Resource {
	return &discovery.Resource{Name: name, Version: "1", Resource: config}
}

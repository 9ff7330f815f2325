package main

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"istio.io/istio/pkg/workloadapi/security"
)

func TestPodToPodIsTunneled(t *testing.T) {
	s := newStage(t)
	s.istiod.Put(t, "1", service("cars.ns.svc.cluster.local", "10.96.0.10"))
	client := s.captured(t, "client")
	server := s.captured(t, "server", "ns/cars.ns.svc.cluster.local")
	application(t, server, 8080)

	body := "a marked body that must not cross the wire in clear"
	sniffer := s.node.Sniff(t, []byte(body))
	c, seen := mustCall(t, client, server.IP+":8080")
	assert.Equal(t, client.IP, seen, "the application sees the peer's address")
	echoed(t, c, body)
	c, seen = mustCall(t, client, "10.96.0.10:80")
	assert.Equal(t, client.IP, seen)
	echoed(t, c, body)
	frames, hits := sniffer.Stop(t)
	assert.Positive(t, frames)
	assert.Zero(t, hits, "of %d frames", frames)

	state := s.dump(t).WorkloadState["uid-client"]
	assert.Equal(t, "Up", state.State)
	require.NotEmpty(t, state.Connections.Outbound)
	assert.Equal(t, "HBONE", state.Connections.Outbound[0].Protocol)
	_ = c.Close()
	require.Eventually(t, func() bool {
		_, metrics := get(t, s.addr.Stats, "/metrics")
		return strings.Contains(metrics, `istio_tcp_connections_closed_total{`) &&
			strings.Contains(metrics, `connection_security_policy="mutual_tls"`) &&
			strings.Contains(metrics, `source_principal="spiffe://cluster.local/ns/ns/sa/client"`)
	}, 5*time.Second, 20*time.Millisecond)
	assert.Contains(t, s.log.String(), "dst.hbone_addr="+server.IP+":8080")
}

func TestWhatIsNotInTheMeshIsPlain(t *testing.T) {
	s := newStage(t)
	inside := s.captured(t, "inside")
	outside := s.node.Pod(t, false)
	application(t, outside, 8080)
	application(t, inside, 8080)

	body := "a marked body that crosses the wire in clear"
	sniffer := s.node.Sniff(t, []byte(body))
	c, seen := mustCall(t, inside, outside.IP+":8080")
	assert.Equal(t, inside.IP, seen)
	echoed(t, c, body)
	_, hits := sniffer.Stop(t)
	assert.Positive(t, hits, "the sniffer can see")

	_, seen = mustCall(t, outside, inside.IP+":8080")
	assert.Equal(t, outside.IP, seen, "permissive, and the source is kept")
}

func strict(principals ...*security.StringMatch) *security.Authorization {
	if principals == nil {
		principals = []*security.StringMatch{{MatchType: &security.StringMatch_Presence{Presence: &emptypb.Empty{}}}}
	}
	return &security.Authorization{
		Namespace: "ns", Name: "deny", Scope: security.Scope_NAMESPACE, Action: security.Action_DENY,
		Groups: []*security.Group{{Rules: []*security.Rules{{Matches: []*security.Match{{NotPrincipals: principals}}}}}},
	}
}

func TestStrictRefusesPlainAndCutsWhatRuns(t *testing.T) {
	s := newStage(t)
	client, server := s.captured(t, "client"), s.captured(t, "server")
	outside := s.node.Pod(t, false)
	application(t, server, 8080)
	plain, _ := mustCall(t, outside, server.IP+":8080")
	tunneled, _ := mustCall(t, client, server.IP+":8080")
	s.istiod.Put(t, "", strict())
	require.NoError(t, plain.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := plain.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, net.ErrClosed)
	echoed(t, tunneled, "still allowed")
	_, _, err = call(t.Context(), outside, server.IP+":8080")
	require.Error(t, err)
	mustCall(t, client, server.IP+":8080")

	only := &security.StringMatch{MatchType: &security.StringMatch_Exact{Exact: "cluster.local/ns/ns/sa/somebody"}}
	s.istiod.Put(t, "", strict(only))
	require.NoError(t, tunneled.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = tunneled.Read(make([]byte, 1))
	require.Error(t, err, "a change of policy ends tunnels too")
	s.istiod.Remove("type.googleapis.com/istio.security.Authorization", "ns/deny")
	mustCall(t, client, server.IP+":8080")
	assert.Contains(t, s.log.String(), "explicitly denied by ns/deny")
	_, metrics := get(t, s.addr.Stats, "/stats/prometheus")
	assert.Contains(t, metrics, `response_flags="DENY"`)
}

func TestReadinessFollowsTheSession(t *testing.T) {
	s := newStage(t)
	ready := func() bool { status, _ := get(t, s.addr.Readiness, "/healthz/ready"); return status == http.StatusOK }
	require.Eventually(t, ready, 5*time.Second, 10*time.Millisecond)
	p := s.captured(t, "pod")
	application(t, p, 8080)
	s.cni.Close()
	require.Eventually(t, func() bool { return !ready() }, 5*time.Second, 10*time.Millisecond)
	again := s.socket.Accept(t)
	assert.False(t, ready(), "not before the snapshot is complete")
	require.Empty(t, again.Keep(t, "uid-pod"))
	require.Empty(t, again.Snapshot(t))
	require.Eventually(t, ready, 5*time.Second, 10*time.Millisecond)
	assert.Equal(t, "Up", s.dump(t).WorkloadState["uid-pod"].State, "kept through the disconnect")
	outside := s.node.Pod(t, false)
	mustCall(t, outside, p.IP+":8080")
}

func TestCallsToTheProxyItselfAreRefused(t *testing.T) {
	s := newStage(t)
	client, server := s.captured(t, "client"), s.captured(t, "server")
	application(t, server, 8080)
	mustCall(t, client, server.IP+":8080")
	outside := s.node.Pod(t, false)
	for _, port := range []string{"15001", "15006"} {
		_, _, err := call(t.Context(), client, "127.0.0.1:"+port)
		require.Error(t, err, "loopback %s", port)
		_, _, err = call(t.Context(), client, client.IP+":"+port)
		require.Error(t, err, "own address %s", port)
		_, _, err = call(t.Context(), outside, server.IP+":"+port)
		require.Error(t, err, "from outside %s", port)
		_, _, err = call(t.Context(), client, server.IP+":"+port)
		require.Error(t, err, "from a peer %s", port)
	}
	assert.Contains(t, s.log.String(), "proxy's own port")
	assert.Less(t, strings.Count(s.log.String(), "proxy's own port"), 20, "each is refused once, there is no loop")
}

func TestPodIsServedBeforeTheControlPlaneKnowsIt(t *testing.T) {
	s := newStage(t)
	p, outside := s.node.Pod(t, true), s.node.Pod(t, false)
	application(t, p, 8080)
	f := p.File(t)
	require.Empty(t, s.cni.Add(t, "uid-late", "late", f), "acknowledged at once")
	_ = f.Close()
	answered := make(chan error, 1)
	go func() {
		c, _, err := call(t.Context(), outside, p.IP+":8080")
		if err == nil {
			_ = c.Close()
		}
		answered <- err
	}()
	require.Eventually(t, func() bool {
		_, known := s.dump(t).WorkloadState["uid-late"]
		return known
	}, 5*time.Second, 10*time.Millisecond)
	s.istiod.Put(t, "1", workload(p, "late", true))
	require.NoError(t, <-answered)
}

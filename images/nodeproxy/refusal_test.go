package main

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// intruder opens tunnels from an uncaptured pod with certificates of its own.
type intruder struct{ from, to *fakemesh.Pod }

func (i intruder) tunnel(t *testing.T, cert *identity.Certificate, authority string) (relay.Duplex, error) {
	t.Helper()
	from, to := i.from, i.to
	pool := hbone.NewPool(func(ctx context.Context, at netip.AddrPort) (net.Conn, error) {
		return from.Dial(ctx, at.String())
	})
	t.Cleanup(pool.Close)
	expected := []string{"spiffe://cluster.local/ns/ns/sa/server"}
	hop := hbone.Hop{Addr: netip.MustParseAddrPort(to.IP + ":15008"), Expected: expected}
	target := hbone.Target{Authority: netip.MustParseAddrPort(authority)}
	return pool.Tunnel(t.Context(), hop, cert.Client(expected), target)
}

func TestTunnelsThatAreRefused(t *testing.T) {
	s := newStage(t)
	server, outside := s.captured(t, "server"), s.node.Pod(t, false)
	application(t, server, 8080)
	mustCall(t, outside, server.IP+":8080")
	cert := s.istiod.CA.Certificate(t, spiffe.New("", "ns", "intruder"))
	i := intruder{from: outside, to: server}
	for name, c := range map[string]struct {
		authority string
		status    int
	}{
		"an address that is not the pod's": {outside.IP + ":8080", http.StatusBadRequest},
		"loopback":                         {"127.0.0.1:8080", http.StatusBadRequest},
		"the proxy's own port":             {server.IP + ":15008", http.StatusBadRequest},
		"a port where nobody listens":      {server.IP + ":9999", http.StatusServiceUnavailable},
	} {
		_, err := i.tunnel(t, cert, c.authority)
		var refused *hbone.Refused
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, c.status, refused.Status, name)
	}
	stranger := fakemesh.NewCA(t).Certificate(t, spiffe.New("", "ns", "client"))
	_, err := i.tunnel(t, stranger, server.IP+":8080")
	require.Error(t, err)
	s.istiod.CA.SetLifetime(-time.Second)
	expired := s.istiod.CA.Certificate(t, spiffe.New("", "ns", "client"))
	_, err = i.tunnel(t, expired, server.IP+":8080")
	require.Error(t, err)

	d, err := i.tunnel(t, cert, server.IP+":8080")
	require.NoError(t, err, "a proven identity of the mesh is let in")
	_ = d.Close()
	s.istiod.Put(t, "", strict())
	_, err = i.tunnel(t, cert, server.IP+":8080")
	require.NoError(t, err, "STRICT asks for an identity, not for a captured pod")
}

// Peers that connect and stay silent hold up nobody.
func TestSilentPeers(t *testing.T) {
	s := newStage(t)
	server, client, outside := s.captured(t, "server"), s.captured(t, "client"), s.node.Pod(t, false)
	application(t, server, 8080)
	for range 50 {
		c, err := outside.Dial(t.Context(), server.IP+":15008")
		require.NoError(t, err)
		defer c.Close()
	}
	c, _ := mustCall(t, client, server.IP+":8080")
	echoed(t, c, "undisturbed")
}

func TestDescriptorThatIsNoNamespace(t *testing.T) {
	s := newStage(t)
	for _, path := range []string{"/dev/null", "/proc/self/ns/uts"} {
		f, err := os.Open(path)
		require.NoError(t, err)
		assert.Contains(t, s.cni.Add(t, "uid-x", "x", f), "not a network namespace")
		_ = f.Close()
	}
	status, _ := get(t, s.addr.Readiness, "/healthz/ready")
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, s.dump(t).WorkloadState)
}

// A pod whose ports are taken is refused, kept, and started when it can be.
func TestPodThatCannotStart(t *testing.T) {
	s := newStage(t)
	p := s.node.Pod(t, true)
	squatter := p.Listen(t, 15008)
	f := p.File(t)
	defer f.Close()
	assert.Contains(t, s.cni.Add(t, "uid-x", "x", f), "address already in use")
	status, body := get(t, s.addr.Readiness, "/healthz/ready")
	assert.Equal(t, http.StatusInternalServerError, status, body)
	assert.Equal(t, "Pending", s.dump(t).WorkloadState["uid-x"].State)
	require.NoError(t, squatter.Close())
	require.Eventually(t, func() bool {
		status, _ := get(t, s.addr.Readiness, "/healthz/ready")
		return status == http.StatusOK
	}, 10*time.Second, 50*time.Millisecond)
	assert.Equal(t, "Up", s.dump(t).WorkloadState["uid-x"].State)
	require.Empty(t, s.cni.Delete(t, "uid-x"))
}

// The same pod again changes nothing; in a new sandbox it starts anew.
func TestPodAnnouncedAgain(t *testing.T) {
	s := newStage(t)
	server, outside := s.captured(t, "server"), s.node.Pod(t, false)
	application(t, server, 8080)
	c, _ := mustCall(t, outside, server.IP+":8080")
	again := server.File(t)
	require.Empty(t, s.cni.Add(t, "uid-server", "server", again))
	_ = again.Close()
	echoed(t, c, "connection kept")

	sandbox := s.node.Pod(t, true)
	application(t, sandbox, 8080)
	f := sandbox.File(t)
	require.Empty(t, s.cni.Add(t, "uid-server", "server", f))
	_ = f.Close()
	s.istiod.Put(t, "2", workload(sandbox, "server", true))
	mustCall(t, outside, sandbox.IP+":8080")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := c.Read(make([]byte, 1))
	require.Error(t, err)
	require.False(t, os.IsTimeout(err), "the old sandbox's connections are cut")
}

// A successor binds the same ports before the old proxy goes; callers notice
// nothing.
func TestHandOver(t *testing.T) {
	s := newStage(t)
	server, outside := s.captured(t, "server"), s.node.Pod(t, false)
	application(t, server, 8080)
	old, _ := mustCall(t, outside, server.IP+":8080")
	first, ended := s.quit, s.ended
	for _, a := range []*string{&s.addr.Admin, &s.addr.Stats, &s.addr.Readiness} {
		*a = freeAddress(t)
	}
	s.start(t)
	session := s.socket.Accept(t)
	f := server.File(t)
	defer f.Close()
	require.Empty(t, session.Add(t, "uid-server", "server", f), "while the old one still listens")
	require.Empty(t, session.Snapshot(t))
	first()
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "draining") }, 5*time.Second, time.Millisecond)
	for range 20 {
		c, _ := mustCall(t, outside, server.IP+":8080")
		echoed(t, c, "new")
		_ = c.Close()
		echoed(t, old, "old")
	}
	_ = old.Close()
	err := <-ended
	ended <- err
	require.ErrorIs(t, err, context.Canceled)
}

package hbone_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// unmetered satisfies the relay where nobody counts.
type unmetered struct{}

func (unmetered) Sent(int)     {}
func (unmetered) Received(int) {}

// gate joins every call to one TCP address, unless it is told to refuse.
type gate struct {
	to     string
	refuse int

	mu    sync.Mutex
	calls []hbone.Call
}

func (g *gate) Handle(ctx context.Context, call hbone.Call, answer hbone.Answer) {
	g.mu.Lock()
	g.calls = append(g.calls, call)
	g.mu.Unlock()
	if g.refuse != 0 {
		answer.Refuse(g.refuse, errors.New("refused by the test"))
		return
	}
	upstream, err := net.Dial("tcp", g.to)
	if err != nil {
		answer.Refuse(http.StatusServiceUnavailable, err)
		return
	}
	stream, err := answer.Accept()
	if err != nil {
		_ = upstream.Close()
		return
	}
	_ = relay.Copy(ctx, stream, upstream.(*net.TCPConn), unmetered{})
}

// site is a tunnel server before one application.
type site struct {
	ca       *fakemesh.CA
	client   *identity.Certificate
	server   atomic.Pointer[identity.Certificate]
	gate     *gate
	hbone    atomic.Pointer[hbone.Server]
	hop      hbone.Hop
	accepted atomic.Int32
	dialed   atomic.Int32
	pool     *hbone.Pool
}

func newSite(t *testing.T, application func(*net.TCPConn)) *site {
	t.Helper()
	ca := fakemesh.NewCA(t)
	s := &site{ca: ca, gate: &gate{to: serve(t, application)}}
	s.client = ca.Certificate(t, spiffe.New("", "ns", "client"))
	s.server.Store(ca.Certificate(t, spiffe.New("", "ns", "server")))
	s.replace(t)
	at := serve(t, func(c *net.TCPConn) {
		s.accepted.Add(1)
		_ = s.hbone.Load().Serve(t.Context(), c, s.server.Load().Server())
	})
	s.hop = hbone.Hop{
		Addr: netip.MustParseAddrPort(at), Source: s.client.ID.String(), Expected: []string{s.server.Load().ID.String()},
	}
	s.pool = hbone.NewPool(func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		s.dialed.Add(1)
		var d net.Dialer
		return d.DialContext(ctx, "tcp", to.String())
	})
	t.Cleanup(s.pool.Close)
	return s
}

// replace has a new server take all further connections, and returns the old one.
func (s *site) replace(t *testing.T) *hbone.Server {
	t.Helper()
	server, err := hbone.NewServer(s.gate, slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug))
	require.NoError(t, err)
	server.HandshakeTimeout = 2 * time.Second
	return s.hbone.Swap(server)
}

// serve runs an accept loop until the test ends.
func serve(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { defer c.Close(); handle(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
	_ = c.CloseWrite()
}

func (s *site) tunnel(t *testing.T) (relay.Duplex, error) {
	t.Helper()
	return s.pool.Tunnel(t.Context(), s.hop, s.client.Client(s.hop.Expected), hbone.Target{
		Authority: netip.MustParseAddrPort("10.96.0.1:80"), Headers: http.Header{"Baggage": {"k=v"}},
	})
}

func (s *site) mustTunnel(t *testing.T) relay.Duplex {
	t.Helper()
	d, err := s.tunnel(t)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func exchange(t *testing.T, d relay.Duplex, text string) {
	t.Helper()
	_, err := d.Write([]byte(text))
	require.NoError(t, err)
	got := make([]byte, len(text))
	_, err = io.ReadFull(d, got)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

func TestTunnel(t *testing.T) {
	s := newSite(t, echo)
	d := s.mustTunnel(t)
	exchange(t, d, "ping")
	call := s.gate.calls[0]
	assert.Equal(t, s.client.ID, call.Peer)
	assert.Equal(t, "10.96.0.1:80", call.Authority.String())
	assert.Equal(t, s.hop.Addr, call.Local)
	assert.Equal(t, "k=v", call.Header.Get("Baggage"))
}

// The client ends its half; the application still answers all it has.
func TestHalfCloseByClient(t *testing.T) {
	s := newSite(t, func(c *net.TCPConn) {
		request, _ := io.ReadAll(c)
		_, _ = c.Write(bytes.Repeat(request, 1000))
	})
	d := s.mustTunnel(t)
	_, err := d.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, d.CloseWrite())
	answer, err := io.ReadAll(d)
	require.NoError(t, err)
	assert.Len(t, answer, 8000)
}

// The application ends its half; the client reads everything and then the end.
func TestHalfCloseByApplication(t *testing.T) {
	s := newSite(t, func(c *net.TCPConn) {
		_, _ = c.Write(bytes.Repeat([]byte("x"), 3<<20))
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	d := s.mustTunnel(t)
	body, err := io.ReadAll(d)
	require.NoError(t, err)
	assert.Len(t, body, 3<<20)
}

// A stream that nobody reads must not hold up its neighbours.
func TestStalledStreamDelaysNobody(t *testing.T) {
	s := newSite(t, func(c *net.TCPConn) {
		first := make([]byte, 1)
		_, _ = io.ReadFull(c, first)
		if first[0] == 's' { // a sink that never reads on
			<-t.Context().Done()
			return
		}
		_, _ = c.Write(first)
		echo(c)
	})
	stalled := s.mustTunnel(t)
	go func() {
		for {
			if _, err := stalled.Write(append([]byte("s"), make([]byte, 1<<20)...)); err != nil {
				return
			}
		}
	}()
	for range 20 {
		exchange(t, s.mustTunnel(t), "hello")
	}
	assert.Equal(t, int32(1), s.accepted.Load(), "all on one connection")
}

func TestHundredStreamsPerConnection(t *testing.T) {
	s := newSite(t, echo)
	tunnels := make(chan relay.Duplex, 250)
	var group sync.WaitGroup
	for range cap(tunnels) {
		group.Go(func() {
			d, err := s.tunnel(t)
			if assert.NoError(t, err) {
				tunnels <- d
			}
		})
	}
	group.Wait()
	assert.Equal(t, int32(3), s.dialed.Load(), "250 streams at 100 per connection")
	for range 250 {
		d := <-tunnels
		exchange(t, d, "still there")
		require.NoError(t, d.CloseWrite())
		_, err := io.ReadAll(d)
		require.NoError(t, err)
		_ = d.Close()
	}
	exchange(t, s.mustTunnel(t), "reused")
	assert.Equal(t, int32(3), s.dialed.Load())
}

func TestConnectionsAreNotSharedAcrossIdentities(t *testing.T) {
	s := newSite(t, echo)
	exchange(t, s.mustTunnel(t), "one")
	s.client = s.ca.Certificate(t, spiffe.New("", "ns", "someone-else"))
	s.hop.Source = s.client.ID.String()
	exchange(t, s.mustTunnel(t), "two")
	assert.Equal(t, int32(2), s.dialed.Load())
	assert.Equal(t, "someone-else", s.gate.calls[1].Peer.ServiceAccount)
}

func TestWrongPeers(t *testing.T) {
	s := newSite(t, echo)
	s.hop.Expected = []string{"spiffe://cluster.local/ns/ns/sa/another"}
	_, err := s.tunnel(t)
	require.ErrorContains(t, err, "expected one of")

	s = newSite(t, echo)
	s.ca.SetLifetime(-time.Second)
	s.server.Store(s.ca.Certificate(t, spiffe.New("", "ns", "server")))
	_, err = s.tunnel(t)
	require.ErrorContains(t, err, "expired")

	s = newSite(t, echo)
	s.ca.SetLifetime(-time.Second)
	s.client = s.ca.Certificate(t, spiffe.New("", "ns", "client"))
	_, err = s.tunnel(t)
	require.Error(t, err, "the server refuses an expired client")
	assert.Empty(t, s.gate.calls)
}

// Callers that wait while a dial fails do not each wait for a failure of their
// own.
func TestWaitersShareAFailure(t *testing.T) {
	ca := fakemesh.NewCA(t)
	cert := ca.Certificate(t, spiffe.New("", "ns", "client"))
	var dials atomic.Int32
	release := make(chan struct{})
	pool := hbone.NewPool(func(context.Context, netip.AddrPort) (net.Conn, error) {
		dials.Add(1)
		<-release
		return nil, errors.New("no route")
	})
	defer pool.Close()
	hop := hbone.Hop{Addr: netip.MustParseAddrPort("10.0.0.1:15008")}
	results := make(chan error, 50)
	for range cap(results) {
		go func() {
			_, err := pool.Tunnel(t.Context(), hop, cert.Client(nil), hbone.Target{})
			results <- err
		}()
	}
	require.Eventually(t, func() bool { return pool.Waiting() == cap(results) }, 5*time.Second, time.Millisecond)
	close(release)
	for range cap(results) {
		require.ErrorContains(t, <-results, "no route")
	}
	assert.Equal(t, int32(1), dials.Load())
}

func TestRefusal(t *testing.T) {
	s := newSite(t, echo)
	s.gate.refuse = http.StatusUnauthorized
	_, err := s.tunnel(t)
	var refused *hbone.Refused
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusUnauthorized, refused.Status)
}

// raw speaks HTTP/2 that the pool would never speak.
func (s *site) raw(t *testing.T, method, host string) int {
	t.Helper()
	conn, err := tls.Dial("tcp", s.hop.Addr.String(), s.client.Client(s.hop.Expected))
	require.NoError(t, err)
	defer conn.Close()
	cc, err := (&http2.Transport{}).NewClientConn(conn)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+host, http.NoBody)
	require.NoError(t, err)
	if method == http.MethodConnect {
		r.URL.Path = ""
	}
	response, err := cc.RoundTrip(r)
	require.NoError(t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

func TestWrongRequests(t *testing.T) {
	s := newSite(t, echo)
	assert.Equal(t, http.StatusBadRequest, s.raw(t, http.MethodGet, "10.0.0.1:80"))
	assert.Equal(t, http.StatusBadRequest, s.raw(t, http.MethodConnect, "host.name:80"))
	assert.Equal(t, http.StatusBadRequest, s.raw(t, http.MethodConnect, "10.0.0.1"))
	assert.Empty(t, s.gate.calls)
}

// A peer that connects and says nothing is hung up on.
func TestHalfOpenPeers(t *testing.T) {
	s := newSite(t, echo)
	conn, err := net.Dial("tcp", s.hop.Addr.String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestDrain(t *testing.T) {
	s := newSite(t, echo)
	d := s.mustTunnel(t)
	exchange(t, d, "before")
	s.replace(t).Drain(t.Context())
	exchange(t, d, "running streams go on")
	require.Eventually(t, func() bool {
		fresh := s.mustTunnel(t)
		defer fresh.Close()
		return s.dialed.Load() == 2
	}, 5*time.Second, 10*time.Millisecond, "no new stream on the old connection")
	exchange(t, d, "and on")
}

// A CONNECT may cross the server's goodbye on the way, and is sent again then.
func TestNoTunnelIsLostToAGoodbye(t *testing.T) {
	s := newSite(t, echo)
	lost := make(chan error, 20)
	var callers sync.WaitGroup
	for range cap(lost) {
		callers.Go(func() {
			for s.dialed.Load() < 5 && t.Context().Err() == nil {
				d, err := s.tunnel(t)
				if err != nil {
					lost <- err
					return
				}
				_ = d.Close()
			}
		})
	}
	assert.Eventually(t, func() bool {
		s.replace(t).Drain(t.Context())
		return s.dialed.Load() >= 5 || len(lost) == cap(lost)
	}, 10*time.Second, 100*time.Millisecond)
	callers.Wait()
	close(lost)
	for err := range lost {
		assert.NoError(t, err)
	}
}

func TestClosedPoolCutsAndRefuses(t *testing.T) {
	s := newSite(t, echo)
	d := s.mustTunnel(t)
	exchange(t, d, "before")
	s.pool.Close()
	_, err := io.ReadAll(d)
	require.Error(t, err)
	_, err = s.tunnel(t)
	require.ErrorIs(t, err, net.ErrClosed)
}

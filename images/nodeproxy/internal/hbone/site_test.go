package hbone_test

import (
	"context"
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

	"github.com/stretchr/testify/require"

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
	life   context.Context // cuts all calls, if given
	ended  chan struct{}   // gets an end of a call, if given

	mu      sync.Mutex
	calls   []hbone.Call
	refused []string
}

func (g *gate) Refused(_ context.Context, _ hbone.Call, reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = append(g.refused, reason.Error())
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
	if g.life != nil {
		ctx = g.life
	}
	_ = relay.Copy(ctx, stream, upstream.(*net.TCPConn), unmetered{})
	if g.ended != nil {
		g.ended <- struct{}{}
	}
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

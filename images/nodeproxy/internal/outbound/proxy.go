package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// openTimeout bounds the opening of a tunnel: a TCP connection, a handshake,
// and the peer's own connection to the application.
const openTimeout = 3 * netns.ConnectTimeout

// Pod is the captured pod as the outbound side needs it.
type Pod struct {
	UID string
	// Self is the pod's workload; it waits a moment for a new pod.
	Self func(ctx context.Context) (*state.Workload, error)
	// Prove returns the certificate of an identity; it waits a moment for it.
	Prove func(ctx context.Context, id spiffe.ID) (*identity.Certificate, error)
	// Dial connects from the pod's namespace.
	Dial func(ctx context.Context, to netip.AddrPort) (*net.TCPConn, error)
}

// Proxy serves one pod.
type Proxy struct {
	Pod       Pod
	Router    *Router
	Pool      *hbone.Pool
	Flows     *flow.Tracker
	ClusterID string
	// Own are the proxy's own ports in the pod.
	Own []uint16
}

var errSelfCall = errors.New("call to the proxy's own port")

// Serve handles one redirected connection and owns it.
func (p *Proxy) Serve(ctx context.Context, conn *net.TCPConn) {
	defer conn.Close()
	trip, err := p.plan(ctx, conn)
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	books := p.Flows.Begin(trip.facts, nil, cut)
	if err == nil {
		err = p.carry(ctx, conn, trip, books)
	}
	books.End(ctx, err)
}

// trip is one connection and what was decided about it.
type trip struct {
	self  *state.Workload
	route Route
	facts flow.Facts
}

// plan decides where a connection goes. Beside an error the trip holds what is
// known for the log.
func (p *Proxy) plan(ctx context.Context, conn *net.TCPConn) (trip, error) {
	t := trip{facts: flow.Facts{Direction: flow.Outbound, PodUID: p.Pod.UID, Src: netns.RemoteAddr(conn)}}
	dst, err := netns.OriginalDst(conn)
	if err != nil {
		return t, err
	}
	t.facts.OriginalDst, t.facts.ActualDst = dst.String(), dst
	if err := p.permitted(dst, netns.LocalAddr(conn)); err != nil {
		return t, err
	}
	if t.self, err = p.Pod.Self(ctx); err != nil {
		return t, err
	}
	t.facts.Source = flow.PartyOf(t.self)
	t.facts.Source.Identity = t.self.ID.String()
	t.route, err = p.Router.Route(ctx, t.self, dst)
	t.describe()
	return t, err
}

// describe enters the decision into the books.
func (t *trip) describe() {
	if t.route.Hop.IsValid() {
		t.facts.ActualDst = t.route.Hop
	}
	if t.route.Service != nil {
		t.facts.Service = flow.ServiceOf(t.route.Service.Key())
	}
	if t.route.Workload != nil {
		t.facts.Destination = flow.PartyOf(t.route.Workload)
	}
	if t.route.Tunneled() {
		t.facts.Tunneled = true
		t.facts.Authority = t.route.Authority.String()
		t.facts.Destination.Identity = t.route.Identities[0]
	}
}

// permitted refuses loops: the proxy's ports on loopback, and on the address
// the connection was accepted on, which then was not redirected.
func (p *Proxy) permitted(dst, local netip.AddrPort) error {
	own := dst.Addr().IsLoopback() || dst.Addr() == local.Addr()
	if own && slices.Contains(p.Own, dst.Port()) {
		return fmt.Errorf("%s: %w", dst, errSelfCall)
	}
	return nil
}

func (p *Proxy) carry(ctx context.Context, conn *net.TCPConn, t trip, books *flow.Flow) error {
	upstream, err := p.connect(ctx, t)
	if err != nil {
		return flow.Unreachable(err)
	}
	return relay.Copy(ctx, conn, upstream, books)
}

func (p *Proxy) connect(ctx context.Context, t trip) (relay.Duplex, error) {
	if !t.route.Tunneled() {
		return p.Pod.Dial(ctx, t.route.Hop)
	}
	cert, err := p.Pod.Prove(ctx, t.self.ID)
	if err != nil {
		return nil, err
	}
	headers, err := p.headers(t)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	hop := hbone.Hop{Addr: t.route.Hop, Source: t.self.ID.String(), Expected: t.route.Identities}
	target := hbone.Target{Authority: t.route.Authority, Headers: headers}
	return p.Pool.Tunnel(ctx, hop, cert.Client(t.route.Identities), target)
}

// Package inbound takes connections that arrive at a captured pod, through a
// tunnel or in clear, asks whether they may, and hands them to the application
// as if they came from the peer itself.
package inbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// Pod is the captured pod as the inbound side needs it.
type Pod struct {
	UID string
	// Self is the pod's workload; it waits a moment for a new pod.
	Self func(ctx context.Context) (*state.Workload, error)
	// Current is the same without waiting, nil when there is none.
	Current func() *state.Workload
	// Prove returns the certificate of an identity; it waits a moment for it.
	Prove func(ctx context.Context, id spiffe.ID) (*identity.Certificate, error)
	// Dial reaches the application from the pod's namespace, appearing to come
	// from the source.
	Dial func(ctx context.Context, to netip.AddrPort, source netip.Addr) (*net.TCPConn, error)
}

// Mesh is what all pods of the node share.
type Mesh struct {
	Network  string
	Store    *state.Store
	Policies *rbac.Table
	Flows    *flow.Tracker
	// Own are the proxy's own ports, to which nothing may be handed on.
	Own []uint16
}

// Proxy serves one pod.
type Proxy struct {
	Pod  Pod
	Mesh *Mesh
}

var errSelfCall = errors.New("call to the proxy's own port")

// arrival is one connection that wants in.
type arrival struct {
	self    *state.Workload // whom it arrived at; nil while unknown
	facts   flow.Facts
	request rbac.Request
	target  netip.AddrPort
}

// allowed decides by the policies as they are now.
func (p *Proxy) allowed(self *state.Workload, r rbac.Request) error {
	applicable := p.Mesh.Policies.For(self.Spec.GetNamespace(), self.Spec.GetAuthorizationPolicies())
	return rbac.Decide(applicable, r).Denied
}

// stillAllowed asks again for a connection that runs. A pod that the control
// plane no longer knows keeps what it has until istio-cni takes it away.
func (p *Proxy) stillAllowed(r rbac.Request) error {
	if self := p.Pod.Current(); self != nil {
		return p.allowed(self, r)
	}
	return nil
}

// reach connects to the application.
func (p *Proxy) reach(ctx context.Context, a arrival) (*net.TCPConn, error) {
	conn, err := p.Pod.Dial(ctx, a.target, a.request.Source)
	if err != nil {
		return nil, flow.Unreachable(fmt.Errorf("application: %w", err))
	}
	return conn, nil
}

// begin starts the books, and arranges that a change of policy can end the
// connection.
func (p *Proxy) begin(ctx context.Context, a arrival) (context.Context, *flow.Flow, context.CancelCauseFunc) {
	ctx, cut := context.WithCancelCause(ctx)
	recheck := func() error { return p.stillAllowed(a.request) }
	return ctx, p.Mesh.Flows.Begin(a.facts, recheck, cut), cut
}

// ServePlain handles a connection that was redirected without a tunnel. It
// owns the connection.
func (p *Proxy) ServePlain(ctx context.Context, conn *net.TCPConn) {
	defer conn.Close()
	a, err := p.plainArrival(ctx, conn)
	ctx, books, cut := p.begin(ctx, a)
	defer cut(nil)
	if err == nil {
		err = p.plain(ctx, conn, passage{arrival: a, books: books})
	}
	books.End(ctx, err)
}

// passage is an arrival whose books are open.
type passage struct {
	arrival
	books *flow.Flow
}

func (p *Proxy) plain(ctx context.Context, conn *net.TCPConn, a passage) error {
	if err := p.allowed(a.self, a.request); err != nil {
		return flow.Denied(err)
	}
	upstream, err := p.reach(ctx, a.arrival)
	if err != nil {
		return err
	}
	return relay.Copy(ctx, conn, upstream, a.books)
}

func (p *Proxy) permitted(port uint16) error {
	if slices.Contains(p.Mesh.Own, port) {
		return fmt.Errorf("port %d: %w", port, errSelfCall)
	}
	return nil
}

// tunnelsToApplication refuses what is configured and not supported, instead of
// handing the bytes over without the header the application waits for.
func tunnelsToApplication(self *state.Workload) error {
	if t := self.Spec.GetApplicationTunnel(); t.GetProtocol() != workloadapi.ApplicationTunnel_NONE {
		return fmt.Errorf("application tunnel %s is not supported", t.GetProtocol())
	}
	return nil
}

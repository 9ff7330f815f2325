package inbound

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// Tunnels is the pod's HBONE side.
type Tunnels struct {
	proxy  *Proxy
	server *hbone.Server
}

// NewTunnels serves tunnels for a pod; faults takes HTTP/2's own messages.
func NewTunnels(p *Proxy, faults *log.Logger) (*Tunnels, error) {
	t := &Tunnels{proxy: p}
	server, err := hbone.NewServer(t, faults)
	if err != nil {
		return nil, err
	}
	t.server = server
	return t, nil
}

// Serve handles one connection of a peer and owns it. Without a workload or a
// certificate of its own the pod cannot shake hands, so the connection ends.
func (t *Tunnels) Serve(ctx context.Context, conn *net.TCPConn) {
	if err := t.serve(ctx, conn); err != nil {
		_ = conn.Close()
		t.Refused(ctx, hbone.Call{Remote: netns.RemoteAddr(conn), Local: netns.LocalAddr(conn)}, err)
	}
}

// Refused enters into the books what did not become a connection.
func (t *Tunnels) Refused(ctx context.Context, call hbone.Call, reason error) {
	refused := t.proxy.arrival(call.Remote, call.Local, call.Peer)
	t.proxy.Mesh.Flows.Begin(refused.facts, nil, nil).End(ctx, reason)
}

func (t *Tunnels) serve(ctx context.Context, conn *net.TCPConn) error {
	self, err := t.proxy.Pod.Self(ctx)
	if err != nil {
		return err
	}
	cert, err := t.proxy.Pod.Prove(ctx, self.ID)
	if err != nil {
		return err
	}
	return t.server.Serve(ctx, conn, cert.Server())
}

// Drain asks peers to open nothing further.
func (t *Tunnels) Drain(ctx context.Context) { t.server.Drain(ctx) }

// Handle serves one CONNECT.
func (t *Tunnels) Handle(ctx context.Context, call hbone.Call, answer hbone.Answer) {
	self, err := t.proxy.Pod.Self(ctx)
	if err != nil {
		answer.Refuse(http.StatusServiceUnavailable, err)
		t.Refused(ctx, call, err)
		return
	}
	a := t.proxy.tunnelArrival(call, self)
	ctx, books, cut := t.proxy.begin(ctx, a)
	defer cut(nil)
	status, err := t.admit(call, self)
	if err == nil {
		status, err = t.join(ctx, passage{arrival: a, books: books}, answer)
	}
	if status != http.StatusOK {
		answer.Refuse(status, err)
	}
	books.End(ctx, err)
}

// admit checks that the call is for this pod: a proxy of the node must not be
// a way to other addresses.
func (t *Tunnels) admit(call hbone.Call, self *state.Workload) (int, error) {
	if call.Authority.Addr() != call.Local.Addr() {
		return http.StatusBadRequest, fmt.Errorf("CONNECT to %s arrived at %s", call.Authority, call.Local)
	}
	if err := t.proxy.permitted(call.Authority.Port()); err != nil {
		return http.StatusBadRequest, err
	}
	if err := tunnelsToApplication(self); err != nil {
		return http.StatusServiceUnavailable, err
	}
	return http.StatusOK, nil
}

// join connects and carries. The status is 200 from the moment the peer was
// told so.
func (t *Tunnels) join(ctx context.Context, a passage, answer hbone.Answer) (int, error) {
	if err := t.proxy.allowed(a.self, a.request); err != nil {
		return http.StatusUnauthorized, flow.Denied(err)
	}
	upstream, err := t.proxy.reach(ctx, a.arrival)
	if err != nil {
		return http.StatusServiceUnavailable, err
	}
	stream, err := answer.Accept()
	if err != nil {
		_ = upstream.Close()
		return http.StatusOK, err
	}
	return http.StatusOK, relay.Copy(ctx, stream, upstream, a.books)
}

package inbound

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// plainArrival describes a redirected connection. Beside an error it holds what
// is known for the log.
func (p *Proxy) plainArrival(ctx context.Context, conn *net.TCPConn) (arrival, error) {
	from := netns.RemoteAddr(conn)
	a := p.arrival(from, netip.AddrPort{}, spiffe.ID{})
	dst, err := netns.OriginalDst(conn)
	if err != nil {
		return a, err
	}
	a = p.arrival(from, dst, spiffe.ID{})
	if err := p.permitted(dst.Port()); err != nil {
		return a, err
	}
	self, err := p.Pod.Self(ctx)
	if err != nil {
		return a, err
	}
	a.self = self
	a.facts.Destination = flow.PartyOf(self)
	return a, tunnelsToApplication(self)
}

func (p *Proxy) tunnelArrival(call hbone.Call, self *state.Workload) arrival {
	target := netip.AddrPortFrom(call.Local.Addr(), call.Authority.Port())
	a := p.arrival(call.Remote, target, call.Peer)
	a.self = self
	a.facts.Destination = flow.PartyOf(self)
	a.facts.Destination.Identity = self.ID.String()
	a.facts.Tunneled = true
	a.facts.Authority = call.Authority.String()
	a.facts.OriginalDst = forwardedHost(call.Header.Get("Forwarded"))
	a.facts.Service = serviceOf(self, a.facts.OriginalDst)
	return a
}

func (p *Proxy) arrival(from, to netip.AddrPort, peer spiffe.ID) arrival {
	return arrival{
		target:  to,
		request: rbac.Request{Peer: peer, Source: from.Addr(), Target: to.Addr(), DestPort: to.Port()},
		facts: flow.Facts{
			Direction: flow.Inbound, PodUID: p.Pod.UID, Src: from, ActualDst: to,
			Source: p.source(from.Addr(), peer),
		},
	}
}

// source names the peer for the books. The address alone proves nothing: where
// an identity is proven, a workload of another one is not named.
func (p *Proxy) source(ip netip.Addr, peer spiffe.ID) flow.Party {
	w := p.Mesh.Store.WorkloadAt(state.Address{Network: p.Mesh.Network, IP: ip})
	var party flow.Party
	if w != nil && (peer.IsZero() || w.ID == peer) {
		party = flow.PartyOf(w)
	}
	if !peer.IsZero() {
		party.Identity = peer.String()
		party.Namespace = peer.Namespace
	}
	return party
}

// forwardedHost reads the host parameter of a Forwarded header (RFC 7239).
func forwardedHost(header string) string {
	for part := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(name, "host") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// serviceOf believes the peer's word on the service only where the pod is one
// of that service's endpoints.
func serviceOf(self *state.Workload, hostname string) flow.Service {
	for key := range self.Spec.GetServices() {
		if s := flow.ServiceOf(key); s.Hostname == hostname {
			return s
		}
	}
	return flow.Service{}
}

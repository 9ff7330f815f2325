// Package pod runs the proxy of each captured pod: listeners inside the pod's
// network namespace from the moment istio-cni announces it until it is taken
// away. What happens to a connection is for packages inbound and outbound.
package pod

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/inbound"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/outbound"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/zds"
)

// patience is how long a connection of a new pod waits for the control plane
// to know the pod, and for its certificate.
const patience = 5 * time.Second

// Ports are those the proxy serves in every pod. istio-cni's rules fix them.
type Ports struct{ Outbound, Plain, Tunnel uint16 }

// DefaultPorts are the ones istio-cni redirects to.
func DefaultPorts() Ports { return Ports{Outbound: 15001, Plain: 15006, Tunnel: 15008} }

func (p Ports) own() []uint16 { return []uint16{p.Outbound, p.Plain, p.Tunnel} }

// Node is what all pods of a node have in common.
type Node struct {
	Name      string
	Network   string
	ClusterID string
	Ports     Ports
	// Shareable lets a successor bind the same ports.
	Shareable bool
	// KeepSource makes applications see their peers' addresses.
	KeepSource bool
}

// Mesh is what connections are decided by.
type Mesh struct {
	Store      *state.Store
	Policies   *rbac.Table
	Identities *identity.Cache
	Flows      *flow.Tracker
	Router     *outbound.Router
	Log        *slog.Logger
}

// Starter makes instances.
type Starter struct {
	Node Node
	Mesh Mesh
}

// Start opens a pod's listeners. It neither waits for the control plane nor
// for a certificate: the pod gets its address only after istio-cni has the
// acknowledgement. The instance owns the namespace, but when Start fails: then it
// stays the caller's, for another try.
func (s *Starter) Start(ctx context.Context, p zds.Pod, ns *netns.Namespace) (*Instance, error) {
	ctx, hangUp := context.WithCancelCause(context.WithoutCancel(ctx))
	i := &Instance{pod: p, namespace: ns, hangUp: hangUp, log: s.Mesh.Log}
	i.pool = hbone.NewPool(func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return ns.Dial(ctx, to, netip.Addr{})
	})
	tunnels, err := inbound.NewTunnels(s.inbound(p, ns), slog.NewLogLogger(s.Mesh.Log.Handler(), slog.LevelDebug))
	if err != nil {
		hangUp(err)
		return nil, err
	}
	i.tunnels = tunnels
	return i, s.listen(ctx, i)
}

func (s *Starter) listen(ctx context.Context, i *Instance) error {
	plain := s.inbound(i.pod, i.namespace)
	out := s.outbound(i)
	services := []service{
		{s.Node.Ports.Outbound, out.Serve},
		{s.Node.Ports.Plain, plain.ServePlain},
		{s.Node.Ports.Tunnel, i.tunnels.Serve},
	}
	for n := range services {
		l, err := i.namespace.Listen(ctx, services[n].port, s.Node.Shareable)
		if err != nil {
			i.closeListeners()
			i.hangUp(err)
			return err
		}
		i.listeners = append(i.listeners, l)
	}
	for n, l := range i.listeners {
		i.running.Go(func() { i.accept(ctx, l, services[n].serve) })
	}
	return nil
}

type service struct {
	port  uint16
	serve func(context.Context, *net.TCPConn)
}

func (s *Starter) ref(p zds.Pod) state.PodRef {
	return state.PodRef{Node: s.Node.Name, Namespace: p.Namespace, Name: p.Name, ServiceAccount: p.ServiceAccount}
}

func (s *Starter) self(ref state.PodRef) func(context.Context) (*state.Workload, error) {
	return func(ctx context.Context) (*state.Workload, error) {
		if w := s.Mesh.Store.Pod(ref); w != nil {
			return w, nil
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return s.Mesh.Store.AwaitPod(ctx, ref)
	}
}

func (s *Starter) prove(ctx context.Context, id spiffe.ID) (*identity.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.Mesh.Identities.Get(ctx, id)
}

func (s *Starter) inbound(p zds.Pod, ns *netns.Namespace) *inbound.Proxy {
	ref := s.ref(p)
	return &inbound.Proxy{
		Pod: inbound.Pod{
			UID: p.UID, Self: s.self(ref), Prove: s.prove,
			Current: func() *state.Workload { return s.Mesh.Store.Pod(ref) },
			Dial: func(ctx context.Context, to netip.AddrPort, source netip.Addr) (*net.TCPConn, error) {
				if !s.Node.KeepSource {
					source = netip.Addr{}
				}
				return ns.Dial(ctx, to, source)
			},
		},
		Mesh: &inbound.Mesh{
			Network: s.Node.Network, Store: s.Mesh.Store, Policies: s.Mesh.Policies,
			Flows: s.Mesh.Flows, Own: s.Node.Ports.own(),
		},
	}
}

func (s *Starter) outbound(i *Instance) *outbound.Proxy {
	return &outbound.Proxy{
		Pod: outbound.Pod{
			UID: i.pod.UID, Self: s.self(s.ref(i.pod)), Prove: s.prove,
			Dial: func(ctx context.Context, to netip.AddrPort) (*net.TCPConn, error) {
				return i.namespace.Dial(ctx, to, netip.Addr{})
			},
		},
		Router: s.Mesh.Router, Pool: i.pool, Flows: s.Mesh.Flows,
		ClusterID: s.Node.ClusterID, Own: s.Node.Ports.own(),
	}
}

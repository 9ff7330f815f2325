// Package outbound takes a captured pod's outgoing connections to where the
// mesh says they go. Deciding where (Router) is apart from going there (Proxy).
package outbound

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/balance"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// TunnelPort is where every HBONE speaker listens.
const TunnelPort = 15008

// Route is the decision for one connection.
type Route struct {
	// Hop is what to connect to.
	Hop netip.AddrPort
	// Authority is the CONNECT target; when it is not valid the connection
	// goes out as plain TCP.
	Authority netip.AddrPort
	// Identities are those of which the hop must prove one.
	Identities []string
	// Service and Workload are whom the connection reaches, as far as known.
	Service  *state.Service
	Workload *state.Workload
}

// Tunneled tells HBONE from plain TCP.
func (r Route) Tunneled() bool { return r.Authority.IsValid() }

// Router decides by the control plane's tables.
type Router struct {
	Store    *state.Store
	Balancer *balance.Balancer
	// Network is the one this node is on.
	Network string
}

// Route never answers with a direct path when a waypoint is prescribed and
// cannot be found: that is an error, and the connection is to be closed.
func (r *Router) Route(ctx context.Context, client *state.Workload, dst netip.AddrPort) (Route, error) {
	key := state.Address{Network: r.Network, IP: dst.Addr()}
	if w := r.Store.WorkloadAt(key); w != nil {
		return r.toWorkload(ctx, client, w, dst)
	}
	if svc := r.Store.ServiceAt(key, client.Spec.GetNamespace()); svc != nil {
		return r.toService(ctx, client, svc, dst)
	}
	return Route{Hop: dst}, nil
}

// toService never looks at the waypoint of a workload, only at the service's.
func (r *Router) toService(ctx context.Context, client *state.Workload, svc *state.Service, dst netip.AddrPort) (Route, error) {
	gateway, err := r.serviceWaypoint(svc)
	if err != nil {
		return Route{}, err
	}
	if gateway != nil {
		route, err := r.viaWaypoint(ctx, client, gateway, dst)
		route.Service = svc
		return route, err
	}
	if svc.Spec.GetLoadBalancing().GetMode() == workloadapi.LoadBalancing_PASSTHROUGH {
		return Route{Hop: dst, Service: svc}, nil
	}
	picked, err := r.Balancer.Pick(ctx, balance.Query{Client: client, Service: svc, Port: dst.Port(), Wanted: dst.Addr()})
	if err != nil {
		return Route{}, err
	}
	route, err := r.direct(picked.Workload, picked.Addr)
	route.Service = svc
	if route.Tunneled() {
		route.Identities = append(route.Identities, svc.Spec.GetSubjectAltNames()...)
	}
	return route, err
}

// serviceWaypoint prefers weighted waypoints, unless none of them has a weight.
func (r *Router) serviceWaypoint(svc *state.Service) (*workloadapi.GatewayAddress, error) {
	some := func(w *workloadapi.WeightedWaypoint) bool { return w.GetWeight() > 0 }
	if slices.ContainsFunc(svc.Spec.GetWeightedWaypoints(), some) {
		return r.Balancer.Waypoint(svc.Spec.GetWeightedWaypoints())
	}
	return svc.Spec.GetWaypoint(), nil
}

func (r *Router) toWorkload(ctx context.Context, client, w *state.Workload, dst netip.AddrPort) (Route, error) {
	if gateway := w.Spec.GetWaypoint(); gateway != nil {
		route, err := r.viaWaypoint(ctx, client, gateway, dst)
		return route, err
	}
	return r.direct(w, dst)
}

// direct refuses what this program cannot reach properly instead of sending it
// in clear.
func (r *Router) direct(w *state.Workload, at netip.AddrPort) (Route, error) {
	if w.Unsupported != nil {
		return Route{}, w.Unsupported
	}
	if w.Spec.GetNetwork() != r.Network {
		return Route{}, fmt.Errorf("workload %s is on network %q: multi-network is not supported", w.UID(), w.Spec.GetNetwork())
	}
	if !w.SpeaksHBONE() {
		return Route{Hop: at, Workload: w}, nil
	}
	hop := netip.AddrPortFrom(at.Addr(), TunnelPort)
	return Route{Hop: hop, Authority: at, Identities: []string{w.ID.String()}, Workload: w}, nil
}

// viaWaypoint keeps the client's own destination as authority. The waypoint
// speaks HBONE whatever its pod's tunnel protocol says.
func (r *Router) viaWaypoint(ctx context.Context, client *state.Workload, gateway *workloadapi.GatewayAddress, dst netip.AddrPort) (Route, error) {
	hop, sans, err := r.findWaypoint(ctx, client, gateway)
	if err != nil {
		return Route{}, fmt.Errorf("waypoint of %s: %w", dst, err)
	}
	if hop.Workload.Spec.GetNetwork() != r.Network {
		return Route{}, fmt.Errorf("waypoint of %s is on network %q: multi-network is not supported", dst, hop.Workload.Spec.GetNetwork())
	}
	return Route{
		Hop: hop.Addr, Authority: dst, Workload: hop.Workload,
		Identities: append([]string{hop.Workload.ID.String()}, sans...),
	}, nil
}

var errNoWaypoint = errors.New("no such waypoint is known")

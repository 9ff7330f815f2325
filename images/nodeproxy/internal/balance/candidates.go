package balance

import (
	"context"
	"fmt"
	"net/netip"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// candidates are the endpoints among which chance decides.
func (b *Balancer) candidates(q Query) []*state.Workload {
	policy := q.Service.Spec.GetLoadBalancing()
	var usable []*state.Workload
	for _, w := range b.store.Endpoints(q.Service.Key()) {
		if usableFor(q, w) {
			usable = append(usable, w)
		}
	}
	switch policy.GetMode() {
	case workloadapi.LoadBalancing_STRICT:
		return atLeast(usable, q.Client, policy.GetRoutingPreference(), len(policy.GetRoutingPreference()))
	case workloadapi.LoadBalancing_FAILOVER:
		return nearest(usable, q.Client, policy.GetRoutingPreference())
	}
	return usable
}

func usableFor(q Query, w *state.Workload) bool {
	if len(w.Addrs) == 0 && w.Spec.GetHostname() == "" {
		return false
	}
	if _, ok := q.Service.TargetPort(w, q.Port); !ok {
		return false
	}
	return q.Service.Uses(w)
}

type scope = workloadapi.LoadBalancing_Scope

// nearest keeps those that share the longest run of scopes with the client.
func nearest(from []*state.Workload, client *state.Workload, scopes []scope) []*state.Workload {
	best := 0
	for _, w := range from {
		best = max(best, shared(client, w, scopes))
	}
	return atLeast(from, client, scopes, best)
}

func atLeast(from []*state.Workload, client *state.Workload, scopes []scope, rank int) []*state.Workload {
	var out []*state.Workload
	for _, w := range from {
		if shared(client, w, scopes) >= rank {
			out = append(out, w)
		}
	}
	return out
}

// shared counts the scopes that hold, from the first to the first that fails.
func shared(client, w *state.Workload, scopes []scope) int {
	for i, s := range scopes {
		if !sameIn(s, client.Spec, w.Spec) {
			return i
		}
	}
	return len(scopes)
}

func sameIn(s scope, a, b *workloadapi.Workload) bool {
	switch s {
	case workloadapi.LoadBalancing_REGION:
		return a.GetLocality().GetRegion() == b.GetLocality().GetRegion()
	case workloadapi.LoadBalancing_ZONE:
		return a.GetLocality().GetZone() == b.GetLocality().GetZone()
	case workloadapi.LoadBalancing_SUBZONE:
		return a.GetLocality().GetSubzone() == b.GetLocality().GetSubzone()
	case workloadapi.LoadBalancing_NODE:
		return a.GetNode() == b.GetNode()
	case workloadapi.LoadBalancing_CLUSTER:
		return a.GetClusterId() == b.GetClusterId()
	case workloadapi.LoadBalancing_NETWORK:
		return a.GetNetwork() == b.GetNetwork()
	}
	return false
}

// address chooses among the IPs of the workload, or resolves its hostname.
func (b *Balancer) address(ctx context.Context, q Query, w *state.Workload) (netip.Addr, error) {
	if w.Owns(q.Wanted) {
		return q.Wanted, nil
	}
	addrs := w.Addrs
	if len(addrs) == 0 {
		found, err := b.resolver.LookupNetIP(ctx, "ip", w.Spec.GetHostname())
		if err != nil {
			return netip.Addr{}, fmt.Errorf("resolve workload %s: %w", w.UID(), err)
		}
		addrs = found
	}
	return preferred(addrs, q)
}

// preferred takes the first address of the client's family that the service
// admits, else the first admitted one.
func preferred(addrs []netip.Addr, q Query) (netip.Addr, error) {
	var fallback netip.Addr
	for _, ip := range addrs {
		ip = ip.Unmap()
		if !admits(q.Service.Spec.GetIpFamilies(), ip) {
			continue
		}
		if ip.Is4() == q.Wanted.Is4() {
			return ip, nil
		}
		if !fallback.IsValid() {
			fallback = ip
		}
	}
	if !fallback.IsValid() {
		return fallback, fmt.Errorf("no address of a family the service admits")
	}
	return fallback, nil
}

func admits(families workloadapi.IPFamilies, ip netip.Addr) bool {
	switch families {
	case workloadapi.IPFamilies_IPV4_ONLY:
		return ip.Is4()
	case workloadapi.IPFamilies_IPV6_ONLY:
		return ip.Is6()
	}
	return true
}

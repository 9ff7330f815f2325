// Package balance chooses the endpoint of a service for one connection: health,
// locality and capacity decide, and otherwise chance. There is no affinity, no
// retry and no outlier detection, as in ztunnel.
package balance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// Query asks for an endpoint behind one port of a service.
type Query struct {
	Client  *state.Workload
	Service *state.Service
	Port    uint16
	// Wanted is the address the client asked for; its family is preferred.
	Wanted netip.Addr
}

// Endpoint is the choice: a workload and where it serves.
type Endpoint struct {
	Workload *state.Workload
	Addr     netip.AddrPort
}

// Balancer is safe for concurrent use.
type Balancer struct {
	store    *state.Store
	resolver *net.Resolver

	mu  sync.Mutex
	rng *rand.Rand
}

// New uses the resolver only for workloads that have a hostname and no address.
func New(store *state.Store, resolver *net.Resolver, rng *rand.Rand) *Balancer {
	return &Balancer{store: store, resolver: resolver, rng: rng}
}

// Pick fails when no endpoint is usable; the connection is to be closed then.
func (b *Balancer) Pick(ctx context.Context, q Query) (Endpoint, error) {
	candidates := b.candidates(q)
	if len(candidates) == 0 {
		return Endpoint{}, fmt.Errorf("service %s: no usable endpoint for port %d", q.Service.Key(), q.Port)
	}
	weights := make([]uint64, len(candidates))
	for i, w := range candidates {
		weights[i] = w.Capacity()
	}
	i, err := b.weighted(weights)
	if err != nil {
		return Endpoint{}, fmt.Errorf("service %s: %w", q.Service.Key(), err)
	}
	return b.endpoint(ctx, q, candidates[i])
}

func (b *Balancer) endpoint(ctx context.Context, q Query, chosen *state.Workload) (Endpoint, error) {
	port, _ := q.Service.TargetPort(chosen, q.Port) // candidates have one
	ip, err := b.address(ctx, q, chosen)
	if err != nil {
		return Endpoint{}, fmt.Errorf("service %s: %w", q.Service.Key(), err)
	}
	return Endpoint{Workload: chosen, Addr: netip.AddrPortFrom(ip, port)}, nil
}

// Waypoint picks one of several waypoints by weight, for one connection.
func (b *Balancer) Waypoint(weighted []*workloadapi.WeightedWaypoint) (*workloadapi.GatewayAddress, error) {
	weights := make([]uint64, len(weighted))
	for i, w := range weighted {
		weights[i] = uint64(w.GetWeight())
	}
	i, err := b.weighted(weights)
	if err != nil {
		return nil, fmt.Errorf("weighted waypoints: %w", err)
	}
	return weighted[i].GetDestination(), nil
}

// weighted draws an index in proportion to its weight.
func (b *Balancer) weighted(weights []uint64) (int, error) {
	var sum uint64
	for _, w := range weights {
		sum += w
	}
	if sum == 0 {
		return 0, fmt.Errorf("none of %d choices has a weight", len(weights))
	}
	b.mu.Lock()
	drawn := b.rng.Uint64N(sum)
	b.mu.Unlock()
	for i, w := range weights {
		if drawn < w {
			return i, nil
		}
		drawn -= w
	}
	return 0, fmt.Errorf("drew %d beyond the sum of weights", drawn)
}

package outbound

import (
	"context"
	"fmt"
	"net/netip"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/balance"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// findWaypoint resolves a gateway address to one of its workloads, and returns
// the names its service may prove beside the workload's own identity.
func (r *Router) findWaypoint(ctx context.Context, client *state.Workload, gateway *workloadapi.GatewayAddress) (balance.Endpoint, []string, error) {
	port, err := tunnelPort(gateway)
	if err != nil {
		return balance.Endpoint{}, nil, err
	}
	svc, w, err := r.gateway(client, gateway)
	if err != nil {
		return balance.Endpoint{}, nil, err
	}
	if svc == nil {
		return r.waypointWorkload(w, port)
	}
	wanted := netip.IPv4Unspecified()
	if len(svc.VIPs) > 0 {
		wanted = svc.VIPs[0].IP
	}
	picked, err := r.Balancer.Pick(ctx, balance.Query{Client: client, Service: svc, Port: port, Wanted: wanted})
	return picked, svc.Spec.GetSubjectAltNames(), err
}

func tunnelPort(gateway *workloadapi.GatewayAddress) (uint16, error) {
	port := gateway.GetHboneMtlsPort()
	if port == 0 || port > 65535 {
		return 0, fmt.Errorf("waypoint with tunnel port %d", port)
	}
	return uint16(port), nil
}

// gateway finds the service or, failing that, the workload that an address or
// a hostname of the control plane means.
func (r *Router) gateway(client *state.Workload, gateway *workloadapi.GatewayAddress) (*state.Service, *state.Workload, error) {
	var svc *state.Service
	var w *state.Workload
	switch d := gateway.GetDestination().(type) {
	case *workloadapi.GatewayAddress_Hostname:
		name := d.Hostname
		svc = r.Store.ServiceNamed(name.GetNamespace() + "/" + name.GetHostname())
		w = r.Store.WorkloadNamed(name.GetNamespace(), name.GetHostname())
	case *workloadapi.GatewayAddress_Address:
		ip, ok := netip.AddrFromSlice(d.Address.GetAddress())
		if !ok {
			return nil, nil, fmt.Errorf("waypoint address of %d bytes", len(d.Address.GetAddress()))
		}
		key := state.Address{Network: d.Address.GetNetwork(), IP: ip.Unmap()}
		svc = r.Store.ServiceAt(key, client.Spec.GetNamespace())
		w = r.Store.WorkloadAt(key)
	}
	if svc == nil && w == nil {
		return nil, nil, errNoWaypoint
	}
	return svc, w, nil
}

func (r *Router) waypointWorkload(w *state.Workload, port uint16) (balance.Endpoint, []string, error) {
	if len(w.Addrs) == 0 {
		return balance.Endpoint{}, nil, fmt.Errorf("waypoint %s has no address", w.UID())
	}
	return balance.Endpoint{Workload: w, Addr: netip.AddrPortFrom(w.Addrs[0], port)}, nil, nil
}

package outbound

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/balance"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

func ip(text string) []byte { return netip.MustParseAddr(text).AsSlice() }

func named(host string) *workloadapi.GatewayAddress {
	return &workloadapi.GatewayAddress{HboneMtlsPort: 15008, Destination: &workloadapi.GatewayAddress_Hostname{
		Hostname: &workloadapi.NamespacedHostname{Namespace: "ns", Hostname: host},
	}}
}

func addressed(text string) *workloadapi.GatewayAddress {
	return &workloadapi.GatewayAddress{HboneMtlsPort: 15008, Destination: &workloadapi.GatewayAddress_Address{
		Address: &workloadapi.NetworkAddress{Address: ip(text)},
	}}
}

func svc(host, vip string, change func(*workloadapi.Service)) *workloadapi.Address {
	s := &workloadapi.Service{
		Namespace: "ns", Hostname: host, Ports: []*workloadapi.Port{{ServicePort: 80, TargetPort: 8080}},
		Addresses: []*workloadapi.NetworkAddress{{Address: ip(vip)}},
	}
	if change != nil {
		change(s)
	}
	return &workloadapi.Address{Type: &workloadapi.Address_Service{Service: s}}
}

func pod(name, at string, protocol workloadapi.TunnelProtocol, change func(*workloadapi.Workload)) *workloadapi.Address {
	w := &workloadapi.Workload{
		Uid: name, Name: name, Namespace: "ns", ServiceAccount: name,
		Addresses: [][]byte{ip(at)}, TunnelProtocol: protocol,
	}
	if change != nil {
		change(w)
	}
	return &workloadapi.Address{Type: &workloadapi.Address_Workload{Workload: w}}
}

func serves(host string, ports ...*workloadapi.Port) func(*workloadapi.Workload) {
	return func(w *workloadapi.Workload) {
		w.Services = map[string]*workloadapi.PortList{"ns/" + host: {Ports: ports}}
	}
}

// village has one of each kind of destination.
func village(t *testing.T) (*Router, *state.Workload) {
	t.Helper()
	const hbone, plain = workloadapi.TunnelProtocol_HBONE, workloadapi.TunnelProtocol_NONE
	store := state.New()
	for _, a := range []*workloadapi.Address{
		pod("client", "10.0.0.1", hbone, nil),
		pod("cars", "10.0.0.2", hbone, serves("cars")),
		pod("plain", "10.0.0.3", plain, serves("plain")),
		pod("waypoint", "10.0.0.4", plain, serves("waypoint", &workloadapi.Port{ServicePort: 15008, TargetPort: 15008})),
		pod("guarded", "10.0.0.5", hbone, func(w *workloadapi.Workload) { w.Waypoint = named("waypoint") }),
		pod("routed", "10.0.0.6", hbone, func(w *workloadapi.Workload) { serves("via")(w); w.Waypoint = named("missing") }),
		pod("far", "10.0.0.7", hbone, func(w *workloadapi.Workload) { serves("far")(w); w.Network = "elsewhere" }),
		pod("byhost", "10.0.0.8", plain, func(w *workloadapi.Workload) { w.Hostname = "byhost" }),
		svc("cars", "10.96.0.2", func(s *workloadapi.Service) { s.SubjectAltNames = []string{"spiffe://extra"} }),
		svc("plain", "10.96.0.3", nil),
		svc("waypoint", "10.96.0.4", func(s *workloadapi.Service) { s.Ports = []*workloadapi.Port{{ServicePort: 15008}} }),
		svc("via", "10.96.0.6", func(s *workloadapi.Service) { s.Waypoint = named("waypoint") }),
		svc("far", "10.96.0.7", nil),
		svc("lost", "10.96.0.8", func(s *workloadapi.Service) { s.Waypoint = named("missing") }),
		svc("byaddress", "10.96.0.9", func(s *workloadapi.Service) { s.Waypoint = addressed("10.96.0.4") }),
		svc("bypod", "10.96.0.10", func(s *workloadapi.Service) { s.Waypoint = addressed("10.0.0.4") }),
		svc("byhost-svc", "10.96.0.11", func(s *workloadapi.Service) { s.Waypoint = named("byhost") }),
		svc("empty", "10.96.0.12", nil),
		svc("passthrough", "10.96.0.13", func(s *workloadapi.Service) {
			s.LoadBalancing = &workloadapi.LoadBalancing{Mode: workloadapi.LoadBalancing_PASSTHROUGH}
		}),
		svc("weighted", "10.96.0.14", func(s *workloadapi.Service) {
			s.Waypoint = named("missing")
			s.WeightedWaypoints = []*workloadapi.WeightedWaypoint{
				{Destination: named("missing")}, {Destination: named("waypoint"), Weight: 1},
			}
		}),
		svc("weightless", "10.96.0.16", func(s *workloadapi.Service) {
			s.Waypoint = named("waypoint")
			s.WeightedWaypoints = []*workloadapi.WeightedWaypoint{{Destination: named("missing")}}
		}),
		svc("portless", "10.96.0.15", func(s *workloadapi.Service) { s.Waypoint = &workloadapi.GatewayAddress{} }),
	} {
		r, err := state.Check(a)
		require.NoError(t, err)
		store.Apply([]*state.Resource{r}, nil)
	}
	balancer := balance.New(store, net.DefaultResolver, rand.New(rand.NewPCG(1, 2)))
	client := store.WorkloadAt(state.Address{IP: netip.MustParseAddr("10.0.0.1")})
	return &Router{Store: store, Balancer: balancer}, client
}

func TestRoute(t *testing.T) {
	router, client := village(t)
	id := func(name string) string { return "spiffe://cluster.local/ns/ns/sa/" + name }
	for name, c := range map[string]struct {
		dst, hop, authority string
		identities          []string
	}{
		"unknown address":                       {"1.2.3.4:443", "1.2.3.4:443", "", nil},
		"pod that speaks HBONE":                 {"10.0.0.2:9", "10.0.0.2:15008", "10.0.0.2:9", []string{id("cars")}},
		"pod that does not":                     {"10.0.0.3:9", "10.0.0.3:9", "", nil},
		"service, tunneled":                     {"10.96.0.2:80", "10.0.0.2:15008", "10.0.0.2:8080", []string{id("cars"), "spiffe://extra"}},
		"service, plain":                        {"10.96.0.3:80", "10.0.0.3:8080", "", nil},
		"service behind a waypoint":             {"10.96.0.6:80", "10.0.0.4:15008", "10.96.0.6:80", []string{id("waypoint")}},
		"the pod of that service, by its IP":    {"10.0.0.5:9", "10.0.0.4:15008", "10.0.0.5:9", []string{id("waypoint")}},
		"waypoint by a service's address":       {"10.96.0.9:80", "10.0.0.4:15008", "10.96.0.9:80", []string{id("waypoint")}},
		"waypoint by a pod's address":           {"10.96.0.10:80", "10.0.0.4:15008", "10.96.0.10:80", []string{id("waypoint")}},
		"waypoint by a workload's hostname":     {"10.96.0.11:80", "10.0.0.8:15008", "10.96.0.11:80", []string{id("byhost")}},
		"weighted waypoints":                    {"10.96.0.14:80", "10.0.0.4:15008", "10.96.0.14:80", []string{id("waypoint")}},
		"weighted waypoints without weights":    {"10.96.0.16:80", "10.0.0.4:15008", "10.96.0.16:80", []string{id("waypoint")}},
		"passthrough":                           {"10.96.0.13:81", "10.96.0.13:81", "", nil},
		"port unknown to a service by waypoint": {"10.96.0.6:81", "10.0.0.4:15008", "10.96.0.6:81", []string{id("waypoint")}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := router.Route(t.Context(), client, netip.MustParseAddrPort(c.dst))
			require.NoError(t, err)
			assert.Equal(t, c.hop, r.Hop.String())
			assert.Equal(t, c.authority != "", r.Tunneled())
			if r.Tunneled() {
				assert.Equal(t, c.authority, r.Authority.String())
			}
			assert.Equal(t, c.identities, r.Identities)
		})
	}
}

// What cannot be reached as prescribed is refused, never sent in clear.
func TestNoRoute(t *testing.T) {
	router, client := village(t)
	for name, dst := range map[string]string{
		"no endpoint":                  "10.96.0.12:80",
		"no such port":                 "10.96.0.2:81",
		"waypoint is missing":          "10.96.0.8:80",
		"waypoint of a pod is missing": "10.0.0.6:9",
		"waypoint without port":        "10.96.0.15:80",
		"endpoint of another network":  "10.96.0.7:80",
	} {
		_, err := router.Route(t.Context(), client, netip.MustParseAddrPort(dst))
		require.Error(t, err, name)
	}
	legacy := pod("legacy", "10.0.0.99", workloadapi.TunnelProtocol_LEGACY_ISTIO_MTLS, nil)
	r, err := state.Check(legacy)
	require.Error(t, err)
	router.Store.Apply([]*state.Resource{r}, nil)
	_, err = router.Route(t.Context(), client, netip.MustParseAddrPort("10.0.0.99:80"))
	require.ErrorContains(t, err, "not supported")
}

func TestWaypointThatIsNotWellIsNotBypassed(t *testing.T) {
	router, client := village(t)
	ill := pod("waypoint", "10.0.0.4", workloadapi.TunnelProtocol_NONE, func(w *workloadapi.Workload) {
		serves("waypoint", &workloadapi.Port{ServicePort: 15008, TargetPort: 15008})(w)
		w.Status = workloadapi.WorkloadStatus_UNHEALTHY
	})
	r, err := state.Check(ill)
	require.NoError(t, err)
	router.Store.Apply([]*state.Resource{r}, nil)
	_, err = router.Route(t.Context(), client, netip.MustParseAddrPort("10.96.0.6:80"))
	require.ErrorContains(t, err, "no usable endpoint")
}

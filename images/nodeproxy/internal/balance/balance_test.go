package balance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

type world struct {
	t     *testing.T
	store *state.Store
	b     *Balancer
}

func newWorld(t *testing.T) world {
	t.Helper()
	store := state.New()
	return world{t: t, store: store, b: New(store, net.DefaultResolver, rand.New(rand.NewPCG(1, 2)))}
}

func (w world) put(a *workloadapi.Address) {
	w.t.Helper()
	r, err := state.Check(a)
	require.NoError(w.t, err)
	w.store.Apply([]*state.Resource{r}, nil)
}

func (w world) service(lb *workloadapi.LoadBalancing) *state.Service {
	w.put(&workloadapi.Address{Type: &workloadapi.Address_Service{Service: &workloadapi.Service{
		Namespace: "ns", Hostname: "svc", LoadBalancing: lb,
		Ports: []*workloadapi.Port{{ServicePort: 80, TargetPort: 8080}, {ServicePort: 81}},
	}}})
	return w.store.ServiceNamed("ns/svc")
}

func (w world) pod(uid string, change func(*workloadapi.Workload)) *state.Workload {
	spec := &workloadapi.Workload{
		Uid: uid, Name: uid, Namespace: "ns",
		Addresses: [][]byte{{10, 0, 0, byte(len(w.store.Workloads()) + 1)}},
		Services:  map[string]*workloadapi.PortList{"ns/svc": {}},
	}
	if change != nil {
		change(spec)
	}
	w.put(&workloadapi.Address{Type: &workloadapi.Address_Workload{Workload: spec}})
	for _, got := range w.store.Workloads() {
		if got.UID() == uid {
			return got
		}
	}
	return nil
}

// draw counts who is picked.
func (w world) draw(q Query, times int) map[string]int {
	w.t.Helper()
	q.Wanted = netip.MustParseAddr("10.96.0.1")
	counts := map[string]int{}
	for range times {
		e, err := w.b.Pick(w.t.Context(), q)
		require.NoError(w.t, err)
		counts[e.Workload.UID()]++
	}
	return counts
}

// Each count must lie within six standard deviations of its binomial mean.
func TestWeightedByCapacity(t *testing.T) {
	w := newWorld(t)
	svc := w.service(nil)
	weights := map[string]uint32{"a": 1, "b": 3, "c": 0, "d": 6}
	for _, uid := range []string{"a", "b", "c", "d"} {
		w.pod(uid, func(s *workloadapi.Workload) { s.Capacity = wrapperspb.UInt32(weights[uid]) })
	}
	const n = 20000
	counts := w.draw(Query{Client: w.store.Workloads()[0], Service: svc, Port: 80}, n)
	for uid, weight := range weights {
		p := float64(weight) / 10
		assert.InDelta(t, n*p, float64(counts[uid]), 6*math.Sqrt(n*p*(1-p)), uid)
	}
}

func TestUnusable(t *testing.T) {
	w := newWorld(t)
	svc := w.service(nil)
	client := w.pod("ill", func(s *workloadapi.Workload) { s.Status = workloadapi.WorkloadStatus_UNHEALTHY })
	w.pod("nowhere", func(s *workloadapi.Workload) { s.Addresses = nil })
	_, err := w.b.Pick(t.Context(), Query{Client: client, Service: svc, Port: 80})
	require.ErrorContains(t, err, "no usable endpoint")

	all := w.service(&workloadapi.LoadBalancing{HealthPolicy: workloadapi.LoadBalancing_ALLOW_ALL})
	assert.Equal(t, map[string]int{"ill": 20}, w.draw(Query{Client: client, Service: all, Port: 80}, 20))
	for _, port := range []uint16{81, 82} {
		_, err = w.b.Pick(t.Context(), Query{Client: client, Service: all, Port: port})
		require.Error(t, err, "port %d", port)
	}
}

func locality(region, zone, node string) func(*workloadapi.Workload) {
	return func(s *workloadapi.Workload) {
		s.Locality, s.Node = &workloadapi.Locality{Region: region, Zone: zone}, node
	}
}

func TestLocality(t *testing.T) {
	scopes := []workloadapi.LoadBalancing_Scope{
		workloadapi.LoadBalancing_NETWORK, workloadapi.LoadBalancing_REGION,
		workloadapi.LoadBalancing_ZONE, workloadapi.LoadBalancing_NODE,
	}
	w := newWorld(t)
	client := w.pod("client", func(s *workloadapi.Workload) { locality("r", "z", "n")(s); s.Services = nil })
	failover := &workloadapi.LoadBalancing{Mode: workloadapi.LoadBalancing_FAILOVER, RoutingPreference: scopes}
	picks := func(lb *workloadapi.LoadBalancing) map[string]int {
		return w.draw(Query{Client: client, Service: w.service(lb), Port: 80}, 50)
	}
	w.pod("elsewhere", locality("x", "z", "n"))
	assert.Equal(t, map[string]int{"elsewhere": 50}, picks(failover), "network only, zones of other regions do not count")
	w.pod("region", locality("r", "x", "n"))
	assert.Equal(t, map[string]int{"region": 50}, picks(failover))
	w.pod("zone", locality("r", "z", "x"))
	assert.Equal(t, map[string]int{"zone": 50}, picks(failover))
	w.pod("node", locality("r", "z", "n"))
	assert.Equal(t, map[string]int{"node": 50}, picks(failover))

	strict := &workloadapi.LoadBalancing{Mode: workloadapi.LoadBalancing_STRICT, RoutingPreference: scopes[3:]}
	got := picks(strict)
	assert.NotContains(t, got, "zone")
	assert.Len(t, got, 3, "same node, wherever else")
	w.store.Apply(nil, []string{"node", "region", "elsewhere"})
	_, err := w.b.Pick(t.Context(), Query{Client: client, Service: w.service(strict), Port: 80})
	require.Error(t, err, "strict does not fall back")
	assert.Equal(t, map[string]int{"zone": 50}, picks(nil))
}

func TestAddressFamily(t *testing.T) {
	v4, v6 := netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("fd00::7")
	both := func(s *workloadapi.Workload) { s.Addresses = [][]byte{v6.AsSlice(), v4.AsSlice()} }
	for _, c := range []struct {
		families workloadapi.IPFamilies
		wanted   string
		want     netip.Addr
	}{
		{workloadapi.IPFamilies_AUTOMATIC, "10.96.0.1", v4},
		{workloadapi.IPFamilies_AUTOMATIC, "fd96::1", v6},
		{workloadapi.IPFamilies_IPV6_ONLY, "10.96.0.1", v6},
		{workloadapi.IPFamilies_IPV4_ONLY, "fd96::1", v4},
		{workloadapi.IPFamilies_DUAL, "fd00::7", v6},
	} {
		t.Run(fmt.Sprint(c.families, c.wanted), func(t *testing.T) {
			w := newWorld(t)
			svc := w.service(nil)
			svc.Spec.IpFamilies = c.families
			client := w.pod("a", both)
			e, err := w.b.Pick(t.Context(), Query{Client: client, Service: svc, Port: 80, Wanted: netip.MustParseAddr(c.wanted)})
			require.NoError(t, err)
			assert.Equal(t, netip.AddrPortFrom(c.want, 8080), e.Addr)
		})
	}
}

func TestHostnameIsResolved(t *testing.T) {
	w := newWorld(t)
	svc := w.service(nil)
	client := w.pod("a", func(s *workloadapi.Workload) { s.Addresses, s.Hostname = nil, "localhost" })
	e, err := w.b.Pick(t.Context(), Query{Client: client, Service: svc, Port: 80, Wanted: netip.MustParseAddr("10.96.0.1")})
	require.NoError(t, err)
	assert.True(t, e.Addr.Addr().IsLoopback())
}

func TestWeightedWaypoints(t *testing.T) {
	w := newWorld(t)
	_, err := w.b.Waypoint([]*workloadapi.WeightedWaypoint{{Weight: 0}})
	require.Error(t, err)
	chosen := &workloadapi.GatewayAddress{HboneMtlsPort: 2}
	for range 100 {
		got, err := w.b.Waypoint([]*workloadapi.WeightedWaypoint{
			{Destination: &workloadapi.GatewayAddress{HboneMtlsPort: 1}}, {Destination: chosen, Weight: 5},
		})
		require.NoError(t, err)
		assert.Same(t, chosen, got)
	}
}

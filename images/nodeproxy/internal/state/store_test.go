package state

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/workloadapi"
)

func pod(uid, ip string, services ...string) *workloadapi.Workload {
	w := &workloadapi.Workload{
		Uid: uid, Name: uid, Namespace: "ns", Node: "node", Addresses: [][]byte{netip.MustParseAddr(ip).AsSlice()},
		Services: map[string]*workloadapi.PortList{},
	}
	for _, s := range services {
		w.Services[s] = &workloadapi.PortList{Ports: []*workloadapi.Port{{ServicePort: 80, TargetPort: 8080}}}
	}
	return w
}

func svc(namespace, host, vip string) *workloadapi.Service {
	return &workloadapi.Service{
		Namespace: namespace, Hostname: host, Name: host,
		Ports:     []*workloadapi.Port{{ServicePort: 80}},
		Addresses: []*workloadapi.NetworkAddress{{Address: netip.MustParseAddr(vip).AsSlice()}},
	}
}

func resource(t testing.TB, m proto.Message) *Resource {
	t.Helper()
	a := &workloadapi.Address{}
	switch x := m.(type) {
	case *workloadapi.Workload:
		a.Type = &workloadapi.Address_Workload{Workload: x}
	case *workloadapi.Service:
		a.Type = &workloadapi.Address_Service{Service: x}
	}
	r, err := Check(a)
	require.NoError(t, err)
	return r
}

func at(ip string) Address { return Address{IP: netip.MustParseAddr(ip)} }

func uids(ws []*Workload) []string {
	var out []string
	for _, w := range ws {
		out = append(out, w.UID())
	}
	return out
}

// Whatever the order of arrival, the same things are known in the end.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	messages := []proto.Message{
		pod("a", "10.0.0.1", "ns/one"), pod("b", "10.0.0.2", "ns/one", "ns/two"),
		svc("ns", "one", "10.96.0.1"), svc("ns", "two", "10.96.0.2"),
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		s := New()
		rng.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		for _, m := range messages {
			s.Apply([]*Resource{resource(t, m)}, nil)
		}
		assert.Equal(t, []string{"a", "b"}, uids(s.Endpoints("ns/one")))
		assert.Equal(t, []string{"b"}, uids(s.Endpoints("ns/two")))
		assert.Equal(t, "one", s.ServiceAt(at("10.96.0.1"), "x").Spec.GetHostname())
		assert.Equal(t, "b", s.WorkloadAt(at("10.0.0.2")).UID())
	}
}

func TestReplacedServiceKeepsEndpoints(t *testing.T) {
	s := New()
	s.Apply([]*Resource{resource(t, svc("ns", "one", "10.96.0.1")), resource(t, pod("a", "10.0.0.1", "ns/one"))}, nil)
	s.Apply([]*Resource{resource(t, svc("ns", "one", "10.96.0.9"))}, nil)
	assert.Equal(t, []string{"a"}, uids(s.Endpoints("ns/one")))
	assert.Nil(t, s.ServiceAt(at("10.96.0.1"), "ns"), "the old address is free")
	assert.NotNil(t, s.ServiceAt(at("10.96.0.9"), "ns"))
}

func TestRemoval(t *testing.T) {
	s := New()
	s.Apply([]*Resource{
		resource(t, svc("ns", "one", "10.96.0.1")),
		resource(t, pod("Kubernetes//Pod/ns/a", "10.0.0.1", "ns/one")),
		resource(t, pod("Kubernetes//Pod/ns/b", "10.0.0.1", "ns/one")),
	}, nil)
	assert.Equal(t, "Kubernetes//Pod/ns/b", s.WorkloadAt(at("10.0.0.1")).UID(), "the last to have the address")
	s.Apply(nil, []string{"Kubernetes//Pod/ns/b", "never/heard"})
	assert.Equal(t, "Kubernetes//Pod/ns/a", s.WorkloadAt(at("10.0.0.1")).UID())
	assert.Equal(t, []string{"Kubernetes//Pod/ns/a"}, uids(s.Endpoints("ns/one")))
	s.Apply(nil, []string{"ns/one", "Kubernetes//Pod/ns/a"})
	assert.Nil(t, s.WorkloadAt(at("10.0.0.1")))
	assert.Nil(t, s.ServiceAt(at("10.96.0.1"), "ns"))
	for name, left := range map[string]int{
		"workloads": len(s.workloads), "addresses": len(s.byAddress), "services": len(s.services),
		"vips": len(s.byVIP), "endpoints": len(s.endpoints), "pods": len(s.byPod), "ranges": len(s.ranges),
	} {
		assert.Zero(t, left, name)
	}
}

func TestAddressesThatAreNotOnesOwn(t *testing.T) {
	s := New()
	host := pod("host", "10.0.0.1")
	host.NetworkMode = workloadapi.NetworkMode_HOST_NETWORK
	far := pod("far", "10.0.0.2")
	far.Network = "other"
	s.Apply([]*Resource{resource(t, host), resource(t, far)}, nil)
	assert.Nil(t, s.WorkloadAt(at("10.0.0.1")), "host network addresses are shared")
	assert.Nil(t, s.WorkloadAt(at("10.0.0.2")), "addresses hold within their network")
	assert.NotNil(t, s.WorkloadAt(Address{Network: "other", IP: netip.MustParseAddr("10.0.0.2")}))
}

func TestServicesThatShareAnAddress(t *testing.T) {
	s := New()
	canonical := svc("k8s", "canonical", "10.96.0.1")
	canonical.Canonical = true
	hidden := svc("private", "hidden", "10.96.0.1")
	hidden.Visibility = workloadapi.Service_NAMESPACE
	s.Apply([]*Resource{
		resource(t, hidden), resource(t, svc("first", "first", "10.96.0.1")),
		resource(t, canonical), resource(t, svc("mine", "mine", "10.96.0.1")),
	}, nil)
	for namespace, want := range map[string]string{"mine": "mine", "else": "canonical", "private": "hidden", "first": "first"} {
		assert.Equal(t, want, s.ServiceAt(at("10.96.0.1"), namespace).Spec.GetHostname(), namespace)
	}
	s.Apply(nil, []string{"k8s/canonical"})
	assert.Equal(t, "first", s.ServiceAt(at("10.96.0.1"), "else").Spec.GetHostname())
}

func TestBlocksOfAddresses(t *testing.T) {
	s := New()
	block := func(host, ip string, bits uint32) *Resource {
		spec := svc("ns", host, ip)
		spec.Addresses[0].Length = &bits
		return resource(t, spec)
	}
	s.Apply([]*Resource{block("wide", "10.0.0.0", 8), block("narrow", "10.1.0.0", 16), block("exact", "10.1.1.1", 32)}, nil)
	for ip, want := range map[string]string{"10.9.9.9": "wide", "10.1.2.3": "narrow", "10.1.1.1": "exact"} {
		assert.Equal(t, want, s.ServiceAt(at(ip), "ns").Spec.GetHostname(), ip)
	}
	assert.Nil(t, s.ServiceAt(at("11.0.0.0"), "ns"))
}

// The client's own namespace counts before the length of a block's prefix, and
// that before Kubernetes' own services.
func TestServicesThatShareABlock(t *testing.T) {
	s := New()
	block := func(namespace, host, ip string, bits uint32, canonical bool) *Resource {
		spec := svc(namespace, host, ip)
		spec.Addresses[0].Length, spec.Canonical = &bits, canonical
		return resource(t, spec)
	}
	s.Apply([]*Resource{
		block("a", "first", "10.1.0.0", 16, false), block("b", "canonical", "10.1.0.0", 16, true),
		block("c", "wide", "10.0.0.0", 8, true),
	}, nil)
	for namespace, want := range map[string]string{"a": "first", "b": "canonical", "c": "wide", "else": "canonical"} {
		assert.Equal(t, want, s.ServiceAt(at("10.1.2.3"), namespace).Spec.GetHostname(), namespace)
	}
	assert.Equal(t, "wide", s.ServiceAt(at("10.2.0.1"), "a").Spec.GetHostname())
}

func TestMalformed(t *testing.T) {
	for name, a := range map[string]*workloadapi.Address{
		"neither":         {},
		"without uid":     {Type: &workloadapi.Address_Workload{Workload: &workloadapi.Workload{}}},
		"nil workload":    {Type: &workloadapi.Address_Workload{}},
		"nil service":     {Type: &workloadapi.Address_Service{}},
		"address too odd": {Type: &workloadapi.Address_Workload{Workload: &workloadapi.Workload{Uid: "a", Addresses: [][]byte{{1}}}}},
	} {
		r, err := Check(a)
		require.Error(t, err, name)
		assert.Nil(t, r, name)
	}
	legacy := pod("a", "10.0.0.1")
	legacy.TunnelProtocol = workloadapi.TunnelProtocol_LEGACY_ISTIO_MTLS
	r, err := Check(&workloadapi.Address{Type: &workloadapi.Address_Workload{Workload: legacy}})
	require.Error(t, err)
	require.NotNil(t, r, "kept, so that traffic to it is refused and not let out in clear")
	assert.Error(t, r.workload.Unsupported)
}

func TestAwaitPod(t *testing.T) {
	s := New()
	ref := PodRef{Node: "node", Namespace: "ns", Name: "a", ServiceAccount: "default"}
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err := s.AwaitPod(soon, ref)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	found := make(chan string)
	go func() {
		w, err := s.AwaitPod(t.Context(), ref)
		if err != nil {
			found <- err.Error()
			return
		}
		found <- w.UID()
	}()
	s.Apply([]*Resource{resource(t, pod("other", "10.0.0.9"))}, nil)
	s.Apply([]*Resource{resource(t, pod("a", "10.0.0.1"))}, nil)
	assert.Equal(t, "a", <-found)
}

func TestTargetPort(t *testing.T) {
	r := resource(t, &workloadapi.Service{Namespace: "ns", Hostname: "h", Ports: []*workloadapi.Port{
		{ServicePort: 80}, {ServicePort: 81, TargetPort: 8181}, {ServicePort: 82},
	}})
	w := resource(t, pod("a", "10.0.0.1", "ns/h")).workload
	for port, want := range map[uint16]uint16{80: 8080, 81: 8181, 82: 0, 83: 0} {
		got, ok := r.service.TargetPort(w, port)
		assert.Equal(t, want, got, port)
		assert.Equal(t, want != 0, ok, port)
	}
}

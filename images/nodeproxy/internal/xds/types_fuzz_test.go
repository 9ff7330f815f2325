package xds

import (
	"net/netip"
	"testing"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// Whatever is applied can be looked at and removed without a trace.
func FuzzAddresses(f *testing.F) {
	bits := uint32(8)
	for _, a := range []*workloadapi.Address{
		{},
		{Type: &workloadapi.Address_Workload{Workload: &workloadapi.Workload{
			Uid: "u", Addresses: [][]byte{{10, 0, 0, 1}}, Services: map[string]*workloadapi.PortList{"a/b": nil},
		}}},
		{Type: &workloadapi.Address_Service{Service: &workloadapi.Service{
			Namespace: "a", Hostname: "b", Addresses: []*workloadapi.NetworkAddress{{Address: []byte{10, 0, 0, 0}, Length: &bits}},
		}}},
	} {
		value, err := proto.Marshal(a)
		require.NoError(f, err)
		f.Add("u", value)
		f.Add("a/b", value)
	}
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		store := state.New()
		resource := &discovery.Resource{Name: name, Resource: &anypb.Any{TypeUrl: addressURL, Value: value}}
		apply := Addresses(store).Apply
		apply([]*discovery.Resource{resource, resource}, nil)
		for _, w := range store.Workloads() {
			_, _, _ = w.Healthy(), w.Capacity(), store.Endpoints(w.UID())
		}
		store.ServiceAt(state.Address{IP: netip.MustParseAddr("10.1.2.3")}, "a")
		apply(nil, []string{name})
		require.Empty(t, store.Workloads())
		require.Empty(t, store.Services())
	})
}

// A policy either is understood or denies; deciding by it never panics.
func FuzzAuthorizations(f *testing.F) {
	for _, a := range []*security.Authorization{
		{Namespace: "ns", Name: "p"},
		{Namespace: "ns", Name: "p", Scope: 9},
		{Namespace: "ns", Name: "p", Groups: []*security.Group{{Rules: []*security.Rules{{Matches: []*security.Match{{
			SourceIps:  []*security.Address{{Address: []byte{1, 2, 3, 4}, Length: 32}},
			Principals: []*security.StringMatch{{MatchType: &security.StringMatch_Suffix{Suffix: "x"}}},
		}}}}}}},
	} {
		value, err := proto.Marshal(a)
		require.NoError(f, err)
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		table := rbac.NewTable()
		resource := &discovery.Resource{Name: "ns/p", Resource: &anypb.Any{TypeUrl: authorizationURL, Value: value}}
		refused := Authorizations(table).Apply([]*discovery.Resource{resource}, nil)
		for _, p := range table.All() {
			denied := rbac.Decide([]*rbac.Policy{p}, rbac.Request{Source: netip.MustParseAddr("1.2.3.4")}).Denied
			require.Equal(t, p.Unclear != nil, refused["ns/p"] != nil)
			if p.Unclear != nil && !p.Spec.GetDryRun() {
				require.Error(t, denied)
			}
		}
	})
}

package main

import (
	"net"
	"strconv"
	"testing"

	udpa "github.com/cncf/xds/go/udpa/type/v1"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	state "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	httpstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

func pack(t *testing.T, message proto.Message) *anypb.Any {
	t.Helper()
	config, err := anypb.New(message)
	require.NoError(t, err)
	return config
}

func socketAddress(port int) *core.Address {
	return &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
		Address: "127.0.0.1", PortSpecifier: &core.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}

// backendCluster leads to the backend and carries the filters that Istio puts into its clusters.
func backendCluster(t *testing.T, backend string) *discovery.Resource {
	t.Helper()
	_, text, err := net.SplitHostPort(backend)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return resource("backend", pack(t, &cluster.Cluster{
		Name: "backend", ConnectTimeout: durationpb.New(1e9),
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_STATIC},
		LoadAssignment: &endpoint.ClusterLoadAssignment{ClusterName: "backend", Endpoints: []*endpoint.LocalityLbEndpoints{{
			LbEndpoints: []*endpoint.LbEndpoint{{HostIdentifier: &endpoint.LbEndpoint_Endpoint{
				Endpoint: &endpoint.Endpoint{Address: socketAddress(port)},
			}}},
		}}},
		Filters: []*cluster.Filter{{Name: "istio.metadata_exchange", TypedConfig: pack(t, &udpa.TypedStruct{
			TypeUrl: "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange",
		})}},
	}))
}

func routerConfig(t *testing.T) *anypb.Any { t.Helper(); return pack(t, &router.Router{}) }

func httpFilter(name string, config *anypb.Any) *hcm.HttpFilter {
	return &hcm.HttpFilter{Name: name, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: config}}
}

func textFormat(format string) *core.SubstitutionFormatString {
	return &core.SubstitutionFormatString{Format: &core.SubstitutionFormatString_TextFormatSource{
		TextFormatSource: &core.DataSource{Specifier: &core.DataSource_InlineString{InlineString: format}},
	}}
}

func stateValue(key, factory string) *state.FilterStateValue {
	return &state.FilterStateValue{
		Key: &state.FilterStateValue_ObjectKey{ObjectKey: key}, FactoryKey: factory,
		Value: &state.FilterStateValue_FormatString{FormatString: textFormat("%REQ(:METHOD)%")},
	}
}

// httpListener routes everything to the backend through filters of Istio's. A broken one has a filter
// that neither the rewriter nor Envoy knows.
func httpListener(t *testing.T, name string, port int, broken bool) *discovery.Resource {
	t.Helper()
	filters := []*hcm.HttpFilter{
		httpFilter("istio.stats", &anypb.Any{TypeUrl: "type.googleapis.com/stats.PluginConfig", Value: []byte{8, 1}}),
		httpFilter("state", pack(t, &httpstate.Config{OnRequestHeaders: []*state.FilterStateValue{
			stateValue("io.istio.peer_principal", "istio.hashable_string"), stateValue("io.istio.baggage", ""),
		}})),
	}
	if broken {
		filters = append(filters, httpFilter("unknown", &anypb.Any{TypeUrl: "type.googleapis.com/example.NobodyKnows"}))
	}
	return listenerWith(t, name, port, append(filters, httpFilter("router", routerConfig(t))))
}

// discoveredFilterListener takes its last filter from a resource of its own.
func discoveredFilterListener(t *testing.T, name string, port int, filter string) *discovery.Resource {
	t.Helper()
	ads := &core.ConfigSource{
		ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
		ResourceApiVersion:    core.ApiVersion_V3,
	}
	return listenerWith(t, name, port, []*hcm.HttpFilter{{Name: filter, ConfigType: &hcm.HttpFilter_ConfigDiscovery{
		ConfigDiscovery: &core.ExtensionConfigSource{ConfigSource: ads, TypeUrls: []string{
			"type.googleapis.com/stats.PluginConfig", "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
		}},
	}}})
}

func listenerWith(t *testing.T, name string, port int, filters []*hcm.HttpFilter) *discovery.Resource {
	t.Helper()
	stats := map[string]*anypb.Any{"istio.stats": {TypeUrl: "type.googleapis.com/stats.PluginConfig"}}
	manager := &hcm.HttpConnectionManager{
		StatPrefix: name, HttpFilters: filters,
		RouteSpecifier: &hcm.HttpConnectionManager_RouteConfig{RouteConfig: &route.RouteConfiguration{
			Name: name, VirtualHosts: []*route.VirtualHost{{
				Name: "all", Domains: []string{"*"}, TypedPerFilterConfig: stats,
				Routes: []*route.Route{{
					Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}},
					Action: &route.Route_Route{Route: &route.RouteAction{
						ClusterSpecifier: &route.RouteAction_Cluster{Cluster: "backend"},
					}},
				}},
			}},
		}},
	}
	return resource(name, pack(t, &listener.Listener{
		Name: name, Address: socketAddress(port),
		FilterChains: []*listener.FilterChain{{Filters: []*listener.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listener.Filter_TypedConfig{TypedConfig: pack(t, manager)},
		}}}},
	}))
}

func extension(t *testing.T, name string, config *anypb.Any) *discovery.Resource {
	t.Helper()
	return resource(name, pack(t, &core.TypedExtensionConfig{Name: name, TypedConfig: config}))
}

// onLoopback moves recorded listeners off the machine's real addresses; internal ones stay.
func onLoopback(t *testing.T, response *discovery.DeltaDiscoveryResponse, port int) {
	t.Helper()
	for _, recorded := range response.GetResources() {
		l := &listener.Listener{}
		if !recorded.GetResource().MessageIs(l) {
			continue
		}
		require.NoError(t, recorded.GetResource().UnmarshalTo(l))
		if l.GetAddress() != nil {
			l.Address, l.AdditionalAddresses = socketAddress(port), nil
			recorded.Resource = pack(t, l)
		}
	}
}

package rewrite

import (
	"testing"

	udpa "github.com/cncf/xds/go/udpa/type/v1"
	xds "github.com/cncf/xds/go/xds/type/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matching "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	state "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	httpstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	netstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"
	upstreamhttp "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

func pack(t *testing.T, message proto.Message) *anypb.Any {
	t.Helper()
	config, err := anypb.New(message)
	require.NoError(t, err)
	return config
}

// opaque is a configuration of a type nobody here can decode; its bytes are not even valid.
func opaque(name string) *anypb.Any {
	return &anypb.Any{TypeUrl: "type.googleapis.com/" + name, Value: []byte("\xff istio. \x00")}
}

func httpFilter(config *anypb.Any) *hcm.HttpFilter {
	return &hcm.HttpFilter{Name: config.GetTypeUrl(), ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: config}}
}

func networkFilter(config *anypb.Any) *listener.Filter {
	return &listener.Filter{Name: config.GetTypeUrl(), ConfigType: &listener.Filter_TypedConfig{TypedConfig: config}}
}

func stateValue(key, factory string) *state.FilterStateValue {
	return &state.FilterStateValue{Key: &state.FilterStateValue_ObjectKey{ObjectKey: key}, FactoryKey: factory}
}

func TestForeignType(t *testing.T) {
	for name, foreign := range map[string]bool{
		"io.istio.http.peer_metadata.Config":                        true,
		"istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig": true,
		"stats.PluginConfig":                                        true,
		"envoy.tcp.metadataexchange.config.MetadataExchange":        true,
		"envoy.extensions.network_filters.peer_metadata.Config":     true,
		"envoy.extensions.filters.http.router.v3.Router":            false,
		"envoy.extensions.stat_sinks.open_telemetry.v3.SinkConfig":  false,
		"example.istio.Thing":                                       false,
		"":                                                          false,
	} {
		assert.Equal(t, foreign, ForeignType(name), name)
		assert.Equal(t, foreign, ForeignType("type.googleapis.com/"+name), name)
	}
}

func TestFiltersAreDroppedWhereverTheyStand(t *testing.T) {
	stats, keep := opaque("stats.PluginConfig"), opaque("example.Keep")
	wrappedTwice := pack(t, &matching.ExtensionWithMatcher{ExtensionConfig: &core.TypedExtensionConfig{
		Name: "w", TypedConfig: pack(t, &xds.TypedStruct{TypeUrl: "type.googleapis.com/io.istio.x.Config"}),
	}})
	manager := func(filters ...*hcm.HttpFilter) *anypb.Any {
		return pack(t, &hcm.HttpConnectionManager{StatPrefix: "m", HttpFilters: filters})
	}
	options := func(filters ...*hcm.HttpFilter) *anypb.Any {
		return pack(t, &upstreamhttp.HttpProtocolOptions{HttpFilters: filters})
	}
	cases := map[string]struct{ before, after proto.Message }{
		"http filter of a chain": {
			&listener.Listener{FilterChains: []*listener.FilterChain{{Filters: []*listener.Filter{
				networkFilter(manager(httpFilter(stats), httpFilter(keep), httpFilter(wrappedTwice))),
			}}}},
			&listener.Listener{FilterChains: []*listener.FilterChain{{Filters: []*listener.Filter{
				networkFilter(manager(httpFilter(keep))),
			}}}},
		},
		"network filter of the default chain": {
			&listener.Listener{DefaultFilterChain: &listener.FilterChain{Filters: []*listener.Filter{
				networkFilter(keep), networkFilter(pack(t, &udpa.TypedStruct{TypeUrl: "x/envoy.tcp.metadataexchange.config.M"})),
			}}},
			&listener.Listener{DefaultFilterChain: &listener.FilterChain{Filters: []*listener.Filter{networkFilter(keep)}}},
		},
		"listener filter": {
			&listener.Listener{ListenerFilters: []*listener.ListenerFilter{
				{Name: "a", ConfigType: &listener.ListenerFilter_TypedConfig{TypedConfig: opaque("istio.x")}}, {Name: "b"},
			}},
			&listener.Listener{ListenerFilters: []*listener.ListenerFilter{{Name: "b"}}},
		},
		"cluster filter and upstream http filter": {
			&cluster.Cluster{
				Name: "c", Filters: []*cluster.Filter{{Name: "a", TypedConfig: stats}},
				TypedExtensionProtocolOptions: map[string]*anypb.Any{"o": options(httpFilter(stats), httpFilter(keep))},
			},
			&cluster.Cluster{
				Name:                          "c",
				TypedExtensionProtocolOptions: map[string]*anypb.Any{"o": options(httpFilter(keep))},
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			resource := pack(t, c.before)
			assert.NotEmpty(t, newRewriter(t).Resource(resource))
			got, err := resource.UnmarshalNew()
			require.NoError(t, err)
			assert.True(t, proto.Equal(c.after, got), "%v", got)
		})
	}
}

func TestPerRouteSettingsOfDroppedFiltersGo(t *testing.T) {
	stats, keep := opaque("stats.PluginConfig"), opaque("example.Keep")
	both := func() map[string]*anypb.Any {
		return map[string]*anypb.Any{
			"a": stats, "b": keep, "c": pack(t, &route.FilterConfig{Config: opaque("istio.x"), IsOptional: true}),
			"d": pack(t, &route.FilterConfig{Disabled: true}),
		}
	}
	resource := pack(t, &route.RouteConfiguration{Name: "r", TypedPerFilterConfig: both(), VirtualHosts: []*route.VirtualHost{{
		Name: "v", TypedPerFilterConfig: both(), Routes: []*route.Route{{Name: "x", TypedPerFilterConfig: both()}},
	}}})
	require.Len(t, newRewriter(t).Resource(resource), 6)
	got := &route.RouteConfiguration{}
	require.NoError(t, resource.UnmarshalTo(got))
	for _, settings := range []map[string]*anypb.Any{
		got.GetTypedPerFilterConfig(), got.GetVirtualHosts()[0].GetTypedPerFilterConfig(),
		got.GetVirtualHosts()[0].GetRoutes()[0].GetTypedPerFilterConfig(),
	} {
		assert.Len(t, settings, 2)
		assert.Contains(t, settings, "b")
		assert.Contains(t, settings, "d")
	}
}

func TestFilterStateFactories(t *testing.T) {
	for name, c := range map[string]struct{ key, factory, want string }{
		"istio factory":            {"io.istio.peer_principal", "istio.hashable_string", "envoy.hashable_string"},
		"istio factory, other key": {"mine", "istio.anything", "envoy.hashable_string"},
		"istio key, no factory":    {"io.istio.baggage", "", "envoy.string"},
		"short istio key":          {"istio.double_hbone", "", "envoy.string"},
		"istio key, envoy factory": {"io.istio.x", "envoy.string", "envoy.string"},
		"envoy key, no factory":    {"envoy.filters.listener.original_dst.local_ip", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			values := []*state.FilterStateValue{stateValue(c.key, c.factory)}
			network := pack(t, &core.TypedExtensionConfig{TypedConfig: pack(t, &netstate.Config{OnNewConnection: values})})
			newRewriter(t).Resource(network)
			extension, onConnection := &core.TypedExtensionConfig{}, &netstate.Config{}
			require.NoError(t, network.UnmarshalTo(extension))
			require.NoError(t, extension.GetTypedConfig().UnmarshalTo(onConnection))
			assert.Equal(t, c.want, onConnection.GetOnNewConnection()[0].GetFactoryKey())
			http, onRequest := pack(t, &httpstate.Config{OnRequestHeaders: values}), &httpstate.Config{}
			newRewriter(t).Resource(http)
			require.NoError(t, http.UnmarshalTo(onRequest))
			assert.Equal(t, c.want, onRequest.GetOnRequestHeaders()[0].GetFactoryKey())
		})
	}
}

func TestDiscoveredFilters(t *testing.T) {
	discovered := func(types ...string) *hcm.HttpFilter {
		return &hcm.HttpFilter{Name: types[0], ConfigType: &hcm.HttpFilter_ConfigDiscovery{
			ConfigDiscovery: &core.ExtensionConfigSource{TypeUrls: types},
		}}
	}
	resource := pack(t, &hcm.HttpConnectionManager{HttpFilters: []*hcm.HttpFilter{
		discovered("x/istio.only"), discovered("x/envoy.one", "x/istio.two"), discovered("x/envoy.three"),
	}})
	newRewriter(t).Resource(resource)
	got := &hcm.HttpConnectionManager{}
	require.NoError(t, resource.UnmarshalTo(got))
	require.Len(t, got.GetHttpFilters(), 2)
	assert.Equal(t, []string{"x/envoy.one"}, got.GetHttpFilters()[0].GetConfigDiscovery().GetTypeUrls())
	assert.Equal(t, []string{"x/envoy.three"}, got.GetHttpFilters()[1].GetConfigDiscovery().GetTypeUrls())
}

func TestWhatIsNotUnderstoodKeepsItsBytes(t *testing.T) {
	unknownField := append(pack(t, &listener.Listener{Name: "istio.x"}).GetValue(), 0x82, 0xf1, 0x04, 0x01, 'z')
	for name, resource := range map[string]*anypb.Any{
		"unknown type":                opaque("example.Unknown"),
		"broken listener":             {TypeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener", Value: []byte("istio.\xff")},
		"unknown field":               {TypeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener", Value: unknownField},
		"a whole resource of Istio's": opaque("istio.workload.Address"),
		"discovered istio extension":  pack(t, &core.TypedExtensionConfig{Name: "e", TypedConfig: opaque("istio.x")}),
	} {
		before := proto.CloneOf(resource)
		assert.Empty(t, newRewriter(t).Resource(resource), name)
		assert.Equal(t, before.GetValue(), resource.GetValue(), name)
	}
}

func TestNestingIsBounded(t *testing.T) {
	config := opaque("stats.PluginConfig")
	for range 10 * maxNesting {
		config = pack(t, &matching.ExtensionWithMatcher{ExtensionConfig: &core.TypedExtensionConfig{Name: "n", TypedConfig: config}})
	}
	resource := pack(t, &hcm.HttpConnectionManager{HttpFilters: []*hcm.HttpFilter{httpFilter(config)}})
	before := string(resource.GetValue())
	assert.Empty(t, newRewriter(t).Resource(resource))
	assert.Equal(t, before, string(resource.GetValue()))
}

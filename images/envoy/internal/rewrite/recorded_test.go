package rewrite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// onlyIstio are the names that may not survive in any byte of a rewritten resource: what upstream
// Envoy 1.40 has no factory for and Istio 1.31 sends.
var onlyIstio = []string{
	"io.istio.http.peer_metadata", "stats.PluginConfig", "metadataexchange.config",
	"network_filters.peer_metadata", "istio.envoy.config.filter", "istio.hashable_string",
}

// recorded reads the resources of one recorded response.
func recorded(tb testing.TB, path string) []*anypb.Any {
	tb.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(tb, err)
	if strings.HasSuffix(path, "-DiscoveryResponse.binpb") {
		whole := &discovery.DiscoveryResponse{}
		require.NoError(tb, proto.Unmarshal(raw, whole))
		return whole.GetResources()
	}
	delta := &discovery.DeltaDiscoveryResponse{}
	require.NoError(tb, proto.Unmarshal(raw, delta))
	var resources []*anypb.Any
	for _, resource := range delta.GetResources() {
		resources = append(resources, resource.GetResource())
	}
	return resources
}

func recordings(tb testing.TB, folder string) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("../../testdata", folder, "*.binpb"))
	require.NoError(tb, err)
	require.NotEmpty(tb, paths, "no recordings in %s", folder)
	return paths
}

func newRewriter(tb testing.TB) *Rewriter {
	tb.Helper()
	rewriter, err := New()
	require.NoError(tb, err)
	return rewriter
}

func TestRecordedConfigurationLosesWhatOnlyIstiosBuildKnows(t *testing.T) {
	mx := "envoy.tcp.metadataexchange.config.MetadataExchange"
	common := []Change{
		{"dropped HTTP filter", "io.istio.http.peer_metadata.Config"},
		{"dropped HTTP filter", "stats.PluginConfig"},
		{"dropped cluster filter", mx},
		{"dropped network filter", mx},
		{"exchanged filter-state factory for envoy.hashable_string", "istio.hashable_string"},
	}
	for folder, want := range map[string][]Change{
		"waypoint": common,
		"waypoint-baggage": append([]Change{
			{"dropped cluster filter", "envoy.extensions.network_filters.peer_metadata.UpstreamConfig"},
			{"dropped network filter", "envoy.extensions.network_filters.peer_metadata.Config"},
		}, common...),
		"gateway": {
			{"dropped HTTP filter", "io.istio.http.peer_metadata.Config"},
			{"dropped HTTP filter", "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig"},
			{"dropped cluster filter", mx},
		},
	} {
		t.Run(folder, func(t *testing.T) {
			kinds := map[Change]bool{}
			for _, path := range recordings(t, folder) {
				for _, resource := range recorded(t, path) {
					checkRewritten(t, resource, kinds)
				}
			}
			for _, change := range want {
				assert.True(t, kinds[change], "expected %v", change)
			}
		})
	}
}

// checkRewritten judges one resource by its bytes alone, independently of how the rewriter walks.
func checkRewritten(t *testing.T, resource *anypb.Any, kinds map[Change]bool) {
	t.Helper()
	original := proto.CloneOf(resource)
	changes := newRewriter(t).Resource(resource)
	for _, change := range changes {
		kinds[change] = true
	}
	guilty := false
	for _, name := range onlyIstio {
		guilty = guilty || strings.Contains(string(original.GetValue()), name)
		assert.NotContains(t, string(resource.GetValue()), name)
	}
	if !guilty {
		assert.Empty(t, changes)
		assert.Equal(t, original.GetValue(), resource.GetValue(), "untouched resources keep their bytes")
	}
	assert.Equal(t, original.GetTypeUrl(), resource.GetTypeUrl())
	once := proto.CloneOf(resource)
	assert.Empty(t, newRewriter(t).Resource(resource), "a second pass finds nothing")
	assert.Equal(t, once.GetValue(), resource.GetValue())
}

func TestRecordedListenersKeepTheirOtherFilters(t *testing.T) {
	kept := func(name string) bool {
		return name != "istio.metadata_exchange" && name != "istio.peer_metadata" &&
			name != "upstream_hbone_peer_metadata" && name != "istio.stats"
	}
	for _, path := range recordings(t, "waypoint") {
		if !strings.Contains(path, "-Listener-") {
			continue
		}
		for _, resource := range recorded(t, path) {
			want := networkFilters(t, resource, kept)
			newRewriter(t).Resource(resource)
			assert.Equal(t, want, networkFilters(t, resource, func(string) bool { return true }))
		}
	}
}

func networkFilters(t *testing.T, resource *anypb.Any, keep func(string) bool) []string {
	t.Helper()
	l := &listener.Listener{}
	require.NoError(t, resource.UnmarshalTo(l))
	var names []string
	for _, chain := range append(l.GetFilterChains(), l.GetDefaultFilterChain()) {
		for _, filter := range chain.GetFilters() {
			if keep(filter.GetName()) {
				names = append(names, chain.GetName()+"/"+filter.GetName())
			}
		}
	}
	return names
}

func TestRewritingIsDeterministic(t *testing.T) {
	for _, path := range recordings(t, "waypoint") {
		first, second := recorded(t, path), recorded(t, path)
		for i := range first {
			newRewriter(t).Resource(first[i])
			newRewriter(t).Resource(second[i])
			assert.Equal(t, first[i].GetValue(), second[i].GetValue())
		}
	}
}

func FuzzResource(f *testing.F) {
	for _, folder := range []string{"waypoint", "waypoint-baggage", "gateway"} {
		for _, path := range recordings(f, folder) {
			for _, resource := range recorded(f, path) {
				f.Add(resource.GetTypeUrl(), resource.GetValue())
			}
		}
	}
	f.Fuzz(func(t *testing.T, typeURL string, value []byte) {
		rewriter := newRewriter(t)
		original := string(value)
		resource := &anypb.Any{TypeUrl: typeURL, Value: value}
		changes := rewriter.Resource(resource)
		if len(changes) == 0 {
			require.Equal(t, original, string(resource.GetValue()))
		}
		once := string(resource.GetValue())
		require.Empty(t, rewriter.Resource(resource))
		require.Equal(t, once, string(resource.GetValue()))
	})
}

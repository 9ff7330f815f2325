package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/pod"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/zds"
)

func view(t *testing.T) View {
	t.Helper()
	ca := fakemesh.NewCA(t)
	identities := identity.NewCache(ca.Authority(t), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- identities.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	_, err := identities.Get(ctx, spiffe.New("", "travel", "cars"))
	require.NoError(t, err)
	metrics, err := flow.NewMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	v := View{
		Store: state.New(), Policies: rbac.NewTable(), Identities: identities,
		Flows: flow.NewTracker(metrics, slog.New(slog.DiscardHandler)), Version: Version{Version: "stand-in"},
		Pods: func() []pod.Status {
			return []pod.Status{
				{Pod: zds.Pod{UID: "u1", Name: "cars-v1", Namespace: "travel", ServiceAccount: "cars"}, Up: true},
				{Pod: zds.Pod{UID: "u2", Name: "late"}},
			}
		},
	}
	v.Flows.Begin(flow.Facts{
		Direction: flow.Inbound, PodUID: "u1", Tunneled: true,
		Src: netip.MustParseAddrPort("10.0.0.9:1"), ActualDst: netip.MustParseAddrPort("10.0.0.1:8000"),
	}, nil, nil)
	fill(t, v)
	return v
}

func fill(t *testing.T, v View) {
	t.Helper()
	waypoint := &workloadapi.GatewayAddress{HboneMtlsPort: 15008, Destination: &workloadapi.GatewayAddress_Hostname{
		Hostname: &workloadapi.NamespacedHostname{Namespace: "travel", Hostname: "waypoint.travel.svc.cluster.local"},
	}}
	for _, a := range []*workloadapi.Address{
		{Type: &workloadapi.Address_Service{Service: &workloadapi.Service{
			Name: "cars", Namespace: "travel", Hostname: "cars.travel.svc.cluster.local", Waypoint: waypoint,
			Addresses:  []*workloadapi.NetworkAddress{{Address: []byte{10, 96, 0, 1}}},
			Ports:      []*workloadapi.Port{{ServicePort: 8000, TargetPort: 8000}},
			IpFamilies: workloadapi.IPFamilies_IPV4_ONLY, Canonical: true,
		}}},
		{Type: &workloadapi.Address_Workload{Workload: &workloadapi.Workload{
			Uid: "Kubernetes//Pod/travel/cars-v1", Name: "cars-v1", Namespace: "travel", ServiceAccount: "cars",
			Addresses: [][]byte{{10, 0, 0, 1}}, TunnelProtocol: workloadapi.TunnelProtocol_HBONE, Node: "n",
			Services: map[string]*workloadapi.PortList{"travel/cars.travel.svc.cluster.local": {}}, Waypoint: waypoint,
		}}},
	} {
		r, err := state.Check(a)
		require.NoError(t, err)
		v.Store.Apply([]*state.Resource{r}, nil)
	}
	v.Policies.Apply(map[string]*rbac.Policy{"travel/p": rbac.Compile(&security.Authorization{
		Name: "p", Namespace: "travel", Scope: security.Scope_NAMESPACE, Action: security.Action_DENY,
		Groups: []*security.Group{{Rules: []*security.Rules{{Matches: []*security.Match{{
			NotPrincipals:    []*security.StringMatch{{MatchType: &security.StringMatch_Exact{Exact: "x"}}},
			SourceIps:        []*security.Address{{Address: []byte{10, 0, 0, 0}, Length: 8}},
			DestinationPorts: []uint32{80},
		}}}}}},
	})}, nil)
}

// asMap reads the dump as a stranger would.
func asMap(t *testing.T, v View) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	a := &Admin{View: v}
	a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/config_dump", nil))
	require.Equal(t, http.StatusOK, w.Code)
	var out map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

func first(t *testing.T, list any) map[string]any {
	t.Helper()
	require.IsType(t, []any{}, list)
	require.NotEmpty(t, list)
	return list.([]any)[0].(map[string]any)
}

func TestShapeThatIstioctlReads(t *testing.T) {
	d := asMap(t, view(t))
	s := first(t, d["services"])
	assert.Equal(t, "cars", s["name"])
	assert.Equal(t, []any{"/10.96.0.1"}, s["vips"])
	assert.Equal(t, map[string]any{"8000": 8000.0}, s["ports"])
	assert.Equal(t, "travel/waypoint.travel.svc.cluster.local", s["waypoint"].(map[string]any)["destination"])
	assert.Equal(t, "IPv4", s["ipFamilies"])
	endpoint := s["endpoints"].(map[string]any)["Kubernetes//Pod/travel/cars-v1"].(map[string]any)
	assert.Equal(t, "Kubernetes//Pod/travel/cars-v1", endpoint["workloadUid"])
	assert.Equal(t, "Healthy", endpoint["status"])

	w := first(t, d["workloads"])
	assert.Equal(t, []any{"10.0.0.1"}, w["workloadIps"])
	assert.Equal(t, "HBONE", w["protocol"])
	assert.Equal(t, "Healthy", w["status"])
	assert.Equal(t, "cluster.local", w["trustDomain"])
	assert.Equal(t, 1.0, w["capacity"])

	p := first(t, d["policies"])
	assert.Equal(t, "Namespace", p["scope"])
	assert.Equal(t, "Deny", p["action"])
	match := p["rules"].([]any)[0].([]any)[0].([]any)[0].(map[string]any)
	assert.Equal(t, []any{map[string]any{"Exact": "x"}}, match["notPrincipals"])
	assert.Equal(t, []any{"10.0.0.0/8"}, match["sourceIps"])
	assert.NotContains(t, match, "namespaces")

	c := first(t, d["certificates"])
	assert.Equal(t, "spiffe://cluster.local/ns/travel/sa/cars", c["identity"])
	assert.Equal(t, "Available", c["state"])
	for _, list := range []string{"certChain", "rootCerts"} {
		cert := first(t, c[list])
		assert.Regexp(t, `^\d+$`, cert["serialNumber"])
		_, err := time.Parse(time.RFC3339, cert["expirationTime"].(string))
		require.NoError(t, err)
		assert.Contains(t, cert["pem"], "BEGIN CERTIFICATE")
	}

	states := d["workloadState"].(map[string]any)
	up := states["u1"].(map[string]any)
	assert.Equal(t, "Up", up["state"])
	connection := first(t, up["connections"].(map[string]any)["inbound"])
	assert.Equal(t, map[string]any{"src": "10.0.0.9:1", "originalDst": nil, "actualDst": "10.0.0.1:8000", "protocol": "HBONE"}, connection)
	assert.Equal(t, "Pending", states["u2"].(map[string]any)["state"])
	assert.Equal(t, "stand-in", d["version"].(map[string]any)["version"])
}

// Endpoints that get no connections are no endpoints, as with ztunnel.
func TestUnhealthyEndpointsAreLeftOut(t *testing.T) {
	ill := &state.Workload{Spec: &workloadapi.Workload{Uid: "ill", Status: workloadapi.WorkloadStatus_UNHEALTHY}}
	well := &state.Workload{Spec: &workloadapi.Workload{Uid: "well"}}
	spec := &workloadapi.Service{Namespace: "ns", Hostname: "h"}
	listed := func() map[string]Endpoint {
		return service(&state.Service{Spec: spec}, []*state.Workload{ill, well}).Endpoints
	}
	assert.Len(t, listed(), 1)
	assert.Contains(t, listed(), "well")
	spec.LoadBalancing = &workloadapi.LoadBalancing{HealthPolicy: workloadapi.LoadBalancing_ALLOW_ALL}
	assert.Len(t, listed(), 2)
	assert.Equal(t, "Unhealthy", listed()["ill"].Status)
}

func TestLevel(t *testing.T) {
	level := &slog.LevelVar{}
	h := (&Admin{Level: level}).Handler()
	for query, want := range map[string]slog.Level{
		"debug": slog.LevelDebug, "warn,hyper=info": slog.LevelWarn, "hyper=trace,error": slog.LevelError,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/logging?level="+query, nil))
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, want, level.Level(), query)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/logging?level=loud", nil))
	assert.Equal(t, http.StatusBadRequest, w.Code)
}

func TestQuitAndReadiness(t *testing.T) {
	quit := false
	h := (&Admin{Quit: func() { quit = true }}).Handler()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/quitquitquit", nil))
	assert.False(t, quit, "only POST ends the process")
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/quitquitquit", nil))
	assert.True(t, quit)

	for _, c := range []struct {
		err    error
		status int
	}{{nil, http.StatusOK}, {errors.New("not yet"), http.StatusInternalServerError}} {
		w := httptest.NewRecorder()
		Readiness(func() error { return c.err }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz/ready", nil))
		assert.Equal(t, c.status, w.Code)
	}
}

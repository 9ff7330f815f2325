package peer

// How upstream counts a test.
const (
	Core     = "core"
	Extended = "extended"
	Beside   = "beside" // run, and counted in no profile
)

// Test is one of upstream's tests.
type Test struct{ Name, Group string }

// Profile lists the tests that are run, in upstream's order: those of the mesh
// profile that Istio's own run of it takes, and those beside it that need
// nothing but features of routes.
func Profile() []Test {
	return []Test{
		{"MeshHTTPRoute303Redirect", Beside},
		{"MeshHTTPRoute307Redirect", Beside},
		{"MeshHTTPRoute308Redirect", Beside},
		{"MeshHTTPRouteMatching", Core},
		{"MeshHTTPRouteNamedRule", Extended},
		{"MeshHTTPRouteQueryParamMatching", Extended},
		{"MeshHTTPRouteRedirectHostAndStatus", Core},
		{"MeshHTTPRouteRedirectPath", Extended},
		{"MeshHTTPRouteRedirectPort", Extended},
		{"MeshHTTPRouteSchemeRedirect", Extended},
		{"MeshHTTPRouteRequestHeaderModifier", Core},
		{"MeshHTTPRouteBackendRequestHeaderModifier", Extended},
		{"MeshHTTPRouteRewritePath", Extended},
		{"MeshHTTPRouteSimpleSameNamespace", Core},
		{"MeshHTTPRouteWeight", Core},
		{"MeshBasic", Core},
		{"MeshFrontendHostname", Beside},
		{"MeshFrontend", Beside},
		{"MeshPorts", Beside},
		{"MeshTrafficSplit", Core},
	}
}

// NotRun says of upstream's other mesh tests why they are not run.
func NotRun() map[string]string {
	return map[string]string{
		"MeshConsumerRoute":   "ambient has no consumer routes; Istio's own run leaves it out",
		"MeshGRPCRouteWeight": "it is about GRPCRoute, another profile",
	}
}

package peer

import gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

// upstreams are defects for which only upstream has a test: no promise of ours
// is about what they break.
func upstreams() []Mutant {
	return append(upstreamStatus(),
		in{"MeshHTTPRouteRequestHeaderModifier", "httproute-request-header-modifier", "mesh-request-header-modifier", false}.of(
			"request-header-kept", "a header of the request is not set", func(r *gatewayv1.HTTPRoute) { r.Spec.Rules[0].Filters = nil }),
		in{"MeshHTTPRouteBackendRequestHeaderModifier", "httproute-request-header-modifier-backend", "mesh-request-header-modifier", false}.of(
			"backend-header-kept", "a header of the request is not set for its backend", func(r *gatewayv1.HTTPRoute) { r.Spec.Rules[0].BackendRefs[0].Filters = nil }),
		in{"MeshHTTPRouteQueryParamMatching", "httproute-query-param-matching", "mesh-query-param-matching", false}.of(
			"query-ignored", "the match of a query parameter is ignored", func(r *gatewayv1.HTTPRoute) { r.Spec.Rules[0].Matches[0].QueryParams = nil }),
		in{"MeshHTTPRouteRedirectPort", "httproute-redirect-port", "mesh-redirect-port", false}.of(
			"redirect-port", "the Location names another port", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) { f.Port = new(gatewayv1.PortNumber(8084)) })),
		in{"MeshHTTPRouteSchemeRedirect", "httproute-redirect-scheme", "mesh-redirect-scheme", false}.of(
			"redirect-scheme", "the Location names another scheme", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) { f.Scheme = new("http") })),
		in{"MeshPorts", "mesh-ports", "mesh-split-v1", false}.of(
			"parent-port-ignored", "a route of one port is one of all ports", func(r *gatewayv1.HTTPRoute) { r.Spec.ParentRefs[0].Port = nil }),
		leak(),
	)
}

// upstreamStatus are redirects of another status.
func upstreamStatus() []Mutant {
	other := func(name, title, status string, instead int) Mutant {
		return in{"MeshHTTPRoute" + status + "Redirect", "httproute-" + status + "-redirect", "mesh-" + status + "-redirect", false}.of(
			name, title, redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) { f.StatusCode = &instead }))
	}
	return []Mutant{
		other("redirect-303-as-302", "a redirect of status 303 has 302", "303", 302),
		other("redirect-307-as-302", "a redirect of status 307 has 302", "307", 302),
		other("redirect-308-as-301", "a redirect of status 308 has 301", "308", 301),
	}
}

// leak is the one defect of a manifest that two tests apply.
func leak() Mutant {
	leak := in{"MeshFrontend", "mesh-frontend", "mesh-split-v1", false}.of(
		"route-leaks", "a route of one Service is one of another too", func(r *gatewayv1.HTTPRoute) {
			other := r.Spec.ParentRefs[0]
			other.Name = "echo-v1"
			r.Spec.ParentRefs = append(r.Spec.ParentRefs, other)
		})
	leak.Tests = append(leak.Tests, "MeshFrontendHostname")
	return leak
}

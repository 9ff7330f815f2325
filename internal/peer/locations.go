package peer

import gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

// redirects are defects of where upstream's redirects lead. The first rule of
// the path's test answers /original-prefix/lemon.
func redirects() []Mutant {
	path := in{"MeshHTTPRouteRedirectPath", "httproute-redirect-path", "mesh-redirect-path", true}
	host := in{"MeshHTTPRouteRedirectHostAndStatus", "httproute-redirect-host-and-status", "mesh-redirect-host-and-status", true}
	return []Mutant{
		path.of("redirect-301", "the redirect is permanent", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) { f.StatusCode = new(301) })),
		path.of("redirect-slash", "the Location has a slash too many at its end", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Path.ReplacePrefixMatch = new("/replacement-prefix/")
		})),
		path.of("redirect-query-dropped", "the Location lacks the query", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Path = fullPath("/replacement-prefix/lemon?")
		})),
		path.of("redirect-rest-dropped", "the Location lacks what comes after the prefix", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Path = fullPath("/replacement-prefix")
		})),
		host.of("redirect-host", "the Location names another host", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Hostname = new(gatewayv1.PreciseHostname("elsewhere.example.org"))
		})),
		path.of("redirect-prefix", "the prefix is too short: every path is redirected", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].Matches[0].Path.Value = new("/")
		}),
		path.of("redirect-missing", "the route is missing", nil),
		path.of("redirect-table", "every replacement has a letter too many", lettered),
	}
}

// redirect changes the filter of the route's first rule.
func redirect(change func(*gatewayv1.HTTPRequestRedirectFilter)) func(*gatewayv1.HTTPRoute) {
	return func(r *gatewayv1.HTTPRoute) { change(r.Spec.Rules[0].Filters[0].RequestRedirect) }
}

func fullPath(path string) *gatewayv1.HTTPPathModifier {
	return &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: &path}
}

// lettered adds a letter to the replacement of every rule.
func lettered(r *gatewayv1.HTTPRoute) {
	for _, rule := range r.Spec.Rules {
		for _, filter := range rule.Filters {
			var path *gatewayv1.HTTPPathModifier
			switch {
			case filter.RequestRedirect != nil:
				path = filter.RequestRedirect.Path
			case filter.URLRewrite != nil:
				path = filter.URLRewrite.Path
			default:
				continue // a filter of headers
			}
			if path.ReplaceFullPath != nil {
				*path.ReplaceFullPath += "q"
			} else {
				*path.ReplacePrefixMatch += "q"
			}
		}
	}
}

// rewrites are defects of the paths that upstream's backends are to get. The
// first rule makes /one/two of /prefix/one/two.
func rewrites() []Mutant {
	path := in{"MeshHTTPRouteRewritePath", "httproute-rewrite-path", "mesh-rewrite-path", true}
	return []Mutant{
		path.of("rewrite-slash", "the path has a slash too many at its beginning", rewrite("//one")),
		path.of("rewrite-city", "the path is another one", rewrite("/other")),
		path.of("rewrite-redirects", "the client is redirected instead", func(r *gatewayv1.HTTPRoute) {
			rule := &r.Spec.Rules[0]
			rule.BackendRefs, rule.Filters = nil, []gatewayv1.HTTPRouteFilter{{
				Type:            gatewayv1.HTTPRouteFilterRequestRedirect,
				RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{Path: rule.Filters[0].URLRewrite.Path},
			}}
		}),
		path.of("rewrite-rest-dropped", "the path lacks what comes after the prefix", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].Filters[0].URLRewrite.Path = fullPath("/one")
		}),
		path.of("rewrite-missing", "the route is missing", nil),
		path.of("rewrite-table", "every replacement has a letter too many", lettered),
	}
}

// rewrite replaces the prefix by another one.
func rewrite(prefix string) func(*gatewayv1.HTTPRoute) {
	return func(r *gatewayv1.HTTPRoute) {
		r.Spec.Rules[0].Filters[0].URLRewrite.Path.ReplacePrefixMatch = &prefix
	}
}

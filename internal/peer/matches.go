package peer

import gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

// matching is upstream's test of paths and headers. The second rule takes /v2,
// or a header version of two, to echo-v2; the first takes everything else, or a
// header of one, to echo-v1.
func matching() in { return in{"MeshHTTPRouteMatching", "httproute-matching", "mesh-matching", true} }

// headers are defects of the second rule's header match.
func headers() []Mutant {
	expression := func(value string) func(*gatewayv1.HTTPRoute) {
		return second(func(rule *gatewayv1.HTTPRouteRule) {
			rule.Matches[1].Headers[0].Type, rule.Matches[1].Headers[0].Value = new(gatewayv1.HeaderMatchRegularExpression), value
		})
	}
	of := matching().of
	return []Mutant{
		of("header-ignored", "the match is ignored", second(func(rule *gatewayv1.HTTPRouteRule) { rule.Matches[1].Headers = nil })),
		of("header-any-value", "any value of the header matches", expression(".*")),
		of("header-any-case", "the case of the value is ignored", expression("(?i)two")),
		of("header-begins", "a value that only begins so matches", expression("two.*")),
	}
}

// second changes the route's second rule.
func second(change func(*gatewayv1.HTTPRouteRule)) func(*gatewayv1.HTTPRoute) {
	return func(r *gatewayv1.HTTPRoute) { change(&r.Spec.Rules[1]) }
}

// paths are defects of the matches of paths. Exact ones are only in upstream's
// split: /v1 and /v2.
func paths() []Mutant {
	prefix := matching().of
	exact := in{"MeshTrafficSplit", "mesh-split", "mesh-split", true}.of
	return []Mutant{
		exact("path-exact-as-prefix", "the exact path matches what lies below it too", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].Matches[0].Path.Type = new(gatewayv1.PathMatchPathPrefix)
		}),
		exact("path-any-case", "the case of the path is ignored", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].Matches = append(r.Spec.Rules[0].Matches, byPath(gatewayv1.PathMatchExact, "/V1"))
		}),
		prefix("path-string-prefix", "the prefix is one of the string, not of path elements", second(func(rule *gatewayv1.HTTPRouteRule) {
			rule.Matches = append(rule.Matches, byPath(gatewayv1.PathMatchRegularExpression, "/v2.*"))
		})),
		prefix("path-prefix-as-exact", "the prefix matches only itself", second(func(rule *gatewayv1.HTTPRouteRule) {
			rule.Matches[0].Path.Type = new(gatewayv1.PathMatchExact)
		})),
		prefix("path-boundary-string", "the prefix is one of the string: /v2example is under /v2", second(func(rule *gatewayv1.HTTPRouteRule) {
			rule.Matches = append(rule.Matches, byPath(gatewayv1.PathMatchPathPrefix, "/v2example"))
		})),
		prefix("path-first-wins", "the first rule has what the longer prefix is to have", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[1].BackendRefs = r.Spec.Rules[0].BackendRefs
		}),
	}
}

func byPath(kind gatewayv1.PathMatchType, path string) gatewayv1.HTTPRouteMatch {
	return gatewayv1.HTTPRouteMatch{Path: &gatewayv1.HTTPPathMatch{Type: &kind, Value: &path}}
}

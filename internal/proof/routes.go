package proof

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/internal/catalogue"
)

// redirects are defects of task 5.
func redirects() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task5/redirect", Kills: kills, make: change}
	}
	return []Mutant{
		of("redirect-301", "the redirect is permanent", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) { f.StatusCode = new(301) }), "applied"),
		of("redirect-slash", "the Location has a slash too many at its end", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Path.ReplacePrefixMatch = new("/travels/Amsterdam/")
		}), "applied"),
		of("redirect-query-dropped", "the Location lacks the query", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Path = &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: new("/travels/Amsterdam?")}
		}), "applied"),
		of("redirect-rest-dropped", "the Location lacks what comes after the prefix", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Path = &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: new("/travels/Amsterdam")}
		}), "applied"),
		of("redirect-host", "the Location names another host", redirect(func(f *gatewayv1.HTTPRequestRedirectFilter) {
			f.Hostname = new(gatewayv1.PreciseHostname("travels.travel-agency.svc.cluster.local"))
		}), "applied"),
		of("redirect-prefix", "the prefix is a city too short: every city is redirected", byPath(prefixOf("/travels")), "applied"),
		of("redirect-missing", "the route is missing", missing, "applied"),
		of("redirect-stays", "the route is in force before it is applied and after it is deleted", stays, "before", "after"),
		{
			Name: "redirect-table", Title: "every replacement has a letter too many", Scenario: "task5/prefix-table",
			Kills: []string{"row-01", "row-03", "row-05", "row-06", "row-11", "query", "root-slash"}, make: lettered,
		},
	}
}

// redirect changes the filter of the route's first rule.
func redirect(change func(*gatewayv1.HTTPRequestRedirectFilter)) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error {
		change(r.Spec.Rules[0].Filters[0].RequestRedirect)
		return nil
	})
}

// lettered adds a letter to the replacement of every rule of a prefix table.
func lettered(s *catalogue.Scenario) {
	route(func(r *gatewayv1.HTTPRoute) error {
		for _, rule := range r.Spec.Rules {
			for _, filter := range rule.Filters {
				path := modifier(filter)
				*path.ReplacePrefixMatch += "q"
			}
		}
		return nil
	})(s)
}

func modifier(filter gatewayv1.HTTPRouteFilter) *gatewayv1.HTTPPathModifier {
	if filter.RequestRedirect != nil {
		return filter.RequestRedirect.Path
	}
	return filter.URLRewrite.Path
}

// rewrites are defects of task 6.
func rewrites() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task6/rewrite", Kills: kills, make: change}
	}
	return []Mutant{
		of("rewrite-slash", "the path has a slash too many at its beginning", rewrite("//travels/Amsterdam"), "applied"),
		of("rewrite-city", "the path names another city", rewrite("/travels/Rome"), "applied"),
		of("rewrite-redirects", "the client is redirected instead", route(func(r *gatewayv1.HTTPRoute) error {
			path := r.Spec.Rules[0].Filters[0].URLRewrite.Path
			r.Spec.Rules[0].BackendRefs = nil
			r.Spec.Rules[0].Filters = []gatewayv1.HTTPRouteFilter{{
				Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{Path: path},
			}}
			return nil
		}), "applied"),
		of("rewrite-rest-dropped", "the path lacks what comes after the prefix", route(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules[0].Filters[0].URLRewrite.Path = &gatewayv1.HTTPPathModifier{
				Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: new("/travels/Amsterdam"),
			}
			return nil
		}), "applied"),
		of("rewrite-others-dropped", "the rule for all other paths is missing", route(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules = r.Spec.Rules[:1]
			return nil
		}), "applied"),
		of("rewrite-missing", "the route is missing", missing, "applied"),
		of("rewrite-stays", "the route is in force before it is applied and after it is deleted", stays, "before", "after"),
		{
			Name: "rewrite-original-corrected", Title: "the workshop's own file has the rule that it lacks", Scenario: "task6/rewrite-original",
			Kills: []string{"applied"}, make: func(s *catalogue.Scenario) { s.Apply[0].File = "corrected/09-travel-rewrite.yaml" },
		},
		{Name: "rewrite-original-stays", Title: "the workshop's own file is in force before and after", Scenario: "task6/rewrite-original", Kills: []string{"before", "after"}, make: stays},
		{
			Name: "rewrite-table", Title: "every replacement has a letter too many", Scenario: "task6/prefix-table",
			Kills: []string{
				"row-01", "row-02", "row-03", "row-04", "row-05", "row-06", "row-07", "row-08", "row-09", "row-10", "row-11", "query",
			}, make: lettered,
		},
	}
}

// rewrite replaces the prefix by another one.
func rewrite(prefix string) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error {
		r.Spec.Rules[0].Filters[0].URLRewrite.Path.ReplacePrefixMatch = &prefix
		return nil
	})
}

// headers are defects of routing by headers.
func headers() []Mutant {
	of := func(name, title, scenario string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "headers/" + scenario, Kills: kills, make: change}
	}
	exact, expression := gatewayv1.HeaderMatchExact, gatewayv1.HeaderMatchRegularExpression
	return []Mutant{
		of("header-ignored", "the match is ignored", "exact", byHeader(), "rows"),
		of("header-any-value", "any value of the header matches", "exact", byHeader(header(expression, "user", ".*")), "rows"),
		of("header-any-case", "the case of the value is ignored", "exact", byHeader(header(expression, "user", "(?i)new")), "rows"),
		of("header-begins", "a value that only begins so matches", "exact", byHeader(header(expression, "user", "new.*")), "rows"),
		of("header-stays", "the route is in force before and after", "exact", stays, "before", "after"),
		of("header-regex-part", "a part of the value is enough for the expression", "regex", byHeader(header(expression, "portal", `.*[a-z]+\.(fr|it).*`)), "rows"),
		of("header-regex-stays", "the route is in force before and after", "regex", stays, "before", "after"),
		of("header-either", "one of the headers is enough", "several", byHeader(header(exact, "user", "registered"), header(exact, "device", "mobile")), "rows"),
		of("header-several-stays", "the route is in force before and after", "several", stays, "before", "after"),
		of("header-absent-ignored", "requests with the header are not told apart", "absent", byHeader(header(exact, "user", "nobody")), "rows"),
		of("header-absent-stays", "the route is in force before and after", "absent", stays, "before", "after"),
	}
}

// paths are defects of routing by path.
func paths() []Mutant {
	of := func(name, title, scenario string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "paths/" + scenario, Kills: kills, make: change}
	}
	return []Mutant{
		of("path-exact-as-prefix", "the exact path matches what lies below it too", "exact", byPath(prefixOf("/cars/Madrid")), "rows"),
		of("path-any-case", "the case of the path is ignored", "exact", byPath(exactly("/cars/Madrid"), exactly("/cars/madrid")), "rows"),
		of("path-exact-stays", "the route is in force before and after", "exact", stays, "before", "after"),
		of("path-string-prefix", "the prefix is one of the string, not of path elements", "prefix", byPath(prefixOf("/cars/Madrid"), prefixOf("/cars/Madridejos")), "rows"),
		of("path-prefix-as-exact", "the prefix matches only itself", "prefix", byPath(exactly("/cars/Madrid")), "rows"),
		of("path-prefix-stays", "the route is in force before and after", "prefix", stays, "before", "after"),
		of("path-boundary-string", "the prefix is one of the string: /v2example is under /v2", "boundary", byPath(prefixOf("/v2"), prefixOf("/v2example")), "rows"),
		of("path-boundary-stays", "the route is in force before and after", "boundary", stays, "before", "after"),
		of("path-first-wins", "the first rule has what the longer prefix is to have", "longest", route(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules[1].BackendRefs = r.Spec.Rules[0].BackendRefs
			return nil
		}), "rows"),
		of("path-exact-loses", "the exact path does not win over the prefix", "longest", route(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules = r.Spec.Rules[:2]
			return nil
		}), "rows"),
		of("path-longest-stays", "the route is in force before and after", "longest", stays, "before", "after"),
	}
}

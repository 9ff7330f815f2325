package catalogue

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// prefixRow is one row of what ReplacePrefixMatch is to do.
type prefixRow struct {
	name    string
	request string // path and query as sent
	prefix  string // of the match
	replace string
	want    string // path and query afterwards
}

// prefixTable is the table in the documentation of Gateway API's
// HTTPPathModifier, row by row, and below it what the table says nothing of but
// the text does: a query is no part of the path, a prefix ends at a path
// element, and the root is a prefix as well.
func prefixTable() []prefixRow {
	return []prefixRow{
		{"row-01", "/foo/bar", "/foo", "/xyz", "/xyz/bar"},
		{"row-02", "/foo/bar", "/foo", "/xyz/", "/xyz/bar"},
		{"row-03", "/foo/bar", "/foo/", "/xyz", "/xyz/bar"},
		{"row-04", "/foo/bar", "/foo/", "/xyz/", "/xyz/bar"},
		{"row-05", "/foo", "/foo", "/xyz", "/xyz"},
		{"row-06", "/foo/", "/foo", "/xyz", "/xyz/"},
		{"row-07", "/foo/bar", "/foo", "", "/bar"},
		{"row-08", "/foo/", "/foo", "", "/"},
		{"row-09", "/foo", "/foo", "", "/"},
		{"row-10", "/foo/", "/foo", "/", "/"},
		{"row-11", "/foo", "/foo", "/", "/"},
		{"query", "/foo/bar?a=1&b=%2Ffoo", "/foo", "/xyz", "/xyz/bar?a=1&b=%2Ffoo"},
		{"root", "/foo", "/", "/xyz", "/xyz/foo"},
		{"root-slash", "/foo", "/", "/xyz/", "/xyz/foo"},
	}
}

// rowHeader picks a row's rule. The prefixes of the rows are the same few, so
// that without it one rule would hide the others; it changes nothing else, and
// one route then holds all rows.
const rowHeader = "row"

// prefixRoute is a route on the Service travels with a rule for each row, whose
// filter make builds, and a last rule that lets everything else through, so that
// a row whose rule does not match is seen to be left alone.
func prefixRoute(name string, rule func(prefixRow) gatewayv1.HTTPRouteRule) *gatewayv1.HTTPRoute {
	route := &gatewayv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "HTTPRoute"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "travel-agency", Name: name},
	}
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{Group: new(gatewayv1.Group("")), Kind: new(gatewayv1.Kind("Service")), Name: "travels"}}
	for _, row := range prefixTable() {
		made := rule(row)
		made.Matches = []gatewayv1.HTTPRouteMatch{{
			Path:    &gatewayv1.HTTPPathMatch{Type: new(gatewayv1.PathMatchPathPrefix), Value: new(row.prefix)},
			Headers: []gatewayv1.HTTPHeaderMatch{{Type: new(gatewayv1.HeaderMatchExact), Name: rowHeader, Value: row.name}},
		}}
		route.Spec.Rules = append(route.Spec.Rules, made)
	}
	route.Spec.Rules = append(route.Spec.Rules, gatewayv1.HTTPRouteRule{BackendRefs: toTravels()})
	return route
}

func toTravels() []gatewayv1.HTTPBackendRef {
	ref := gatewayv1.BackendObjectReference{Name: "travels", Port: new(gatewayv1.PortNumber(8000))}
	return []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{BackendObjectReference: ref}}}
}

func (r prefixRow) modifier() *gatewayv1.HTTPPathModifier {
	return &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: new(r.replace)}
}

func redirectRule(r prefixRow) gatewayv1.HTTPRouteRule {
	return gatewayv1.HTTPRouteRule{Filters: []gatewayv1.HTTPRouteFilter{{
		Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{Path: r.modifier()},
	}}}
}

func rewriteRule(r prefixRow) gatewayv1.HTTPRouteRule {
	return gatewayv1.HTTPRouteRule{BackendRefs: toTravels(), Filters: []gatewayv1.HTTPRouteFilter{{
		Type: gatewayv1.HTTPRouteFilterURLRewrite, URLRewrite: &gatewayv1.HTTPURLRewriteFilter{Path: r.modifier()},
	}}}
}

// perPrefixRow is how many requests each row gets: the answer to a row is
// decided by configuration, so an exception in ten would be seen.
const perPrefixRow = 70

// prefixScenario plays a route's rows in one stage, and promises each of them
// apart, so that the one that differs is named.
func prefixScenario(s Scenario, want func(prefixRow) claim.Conditions) Scenario {
	rows := prefixTable()
	drive := Drive{Name: stage(s.ID, Applied), Window: Applied, Collect: []string{"travel-agency/travels"}, Quiet: 300 * time.Millisecond}
	drive.Load = keepalive(350, perPrefixRow*len(rows))
	for _, row := range rows {
		target := get(row.name, travelsURL+row.request)
		target.Header = map[string]string{rowHeader: row.name}
		drive.Load.Targets = append(drive.Load.Targets, target)
		s.Promises = append(s.Promises, record.Promise{
			ID: s.ID + "/" + row.name, Task: s.Task, Kind: claim.KindEvery, Window: Applied, Stages: []string{drive.Name},
			Title: fmt.Sprintf("turns %s under prefix %s into %s where %q replaces it", row.request, row.prefix, row.want, row.replace),
			Unit:  claim.UnitRequest, Beta: defaultBeta, Delta: 100,
			Params: claim.Params(claim.EveryParams{Want: want(row), Targets: []string{row.name}}),
		})
	}
	s.Drives = []Drive{drive}
	return s
}

func redirectTable() Scenario {
	return prefixScenario(Scenario{
		ID: "task5/prefix-table", Task: "task5", Title: "redirects prefixes as Gateway API's table says", Base: Enrolled,
		Apply:     []Piece{{File: "generated/redirect-prefix-table", Route: prefixRoute("travels-redirect-prefixes", redirectRule)}},
		Waypoints: []string{"travel-agency"}, Expect: 8 * time.Second,
	}, func(r prefixRow) claim.Conditions {
		return claim.Conditions{Status: 302, Location: travelsURL + r.want}
	})
}

func rewriteTable() Scenario {
	return prefixScenario(Scenario{
		ID: "task6/prefix-table", Task: "task6", Title: "rewrites prefixes as Gateway API's table says", Base: Enrolled,
		Apply:     []Piece{{File: "generated/rewrite-prefix-table", Route: prefixRoute("travels-rewrite-prefixes", rewriteRule)}},
		Waypoints: []string{"travel-agency"}, Expect: 8 * time.Second,
	}, func(r prefixRow) claim.Conditions {
		return claim.Conditions{Service: "travels", Backend: &claim.Backend{Of: travelsPods(), Path: r.want}}
	})
}

func travelsPods() claim.Selector { return claim.Selector{Service: "travels"} }

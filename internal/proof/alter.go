package proof

import (
	networkingv1 "istio.io/client-go/pkg/apis/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// alteration changes an object before it is applied; nil leaves it out.
type alteration func(*unstructured.Unstructured) (*unstructured.Unstructured, error)

// on changes objects of one kind by their type.
func on[T any](kind string, change func(*T) error) alteration {
	return func(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		if object.GetKind() != kind {
			return object, nil
		}
		return manifests.Change(object, change)
	}
}

// without leaves out the object of a kind and name, in whatever namespace.
func without(kind, name string) alteration {
	return func(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		if object.GetKind() == kind && object.GetName() == name {
			return nil, nil
		}
		return object, nil
	}
}

// altered makes a change in everything that is under test.
func altered(change alteration) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) { alter(s.Apply, change) }
}

// prepared makes a change in what stands for the whole scenario.
func prepared(change alteration) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) { alter(s.Setup, change) }
}

func alter(pieces []catalogue.Piece, change alteration) {
	for i := range pieces {
		pieces[i].Change = change
	}
}

// route changes the HTTPRoute that is under test.
func route(change func(*gatewayv1.HTTPRoute) error) func(*catalogue.Scenario) {
	return altered(on("HTTPRoute", change))
}

// refusedRoute does the same with a route that the mesh does not accept: nobody
// waits for that then.
func refusedRoute(change func(*gatewayv1.HTTPRoute) error) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) {
		route(change)(s)
		for i := range s.Apply {
			s.Apply[i].Unawaited = true
		}
	}
}

// service changes the VirtualService that is under test.
func service(change func(*networkingv1.VirtualService) error) func(*catalogue.Scenario) {
	return altered(on("VirtualService", change))
}

// missing applies nothing at all.
func missing(s *catalogue.Scenario) { s.Apply = nil }

// weighted gives the backends of the route other weights.
func weighted(weights map[string]int32) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error { return manifests.SetWeights(r, weights) })
}

// stays has what is under test in force before it is applied and after it is
// deleted, under another name.
func stays(s *catalogue.Scenario) { left(nil)(s) }

// left does the same with something that was changed besides.
func left(change alteration) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) {
		for _, piece := range s.Apply {
			piece.Change = func(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
				renamed := object.DeepCopy()
				renamed.SetName(object.GetName() + "-left-over")
				if change == nil {
					return renamed, nil
				}
				return change(renamed)
			}
			s.Setup = append(s.Setup, piece)
		}
		s.Apply = nil
	}
}

// always has what is under test in force in every window, under its own name.
func always(s *catalogue.Scenario) {
	s.Setup, s.Apply = append(s.Setup, s.Apply...), nil
}

// few cuts the load to what a gross defect needs, where it shows only after the
// load: a violation in the first requests is one of all of them.
func few(change func(*catalogue.Scenario)) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) {
		change(s)
		for i := range s.Drives {
			s.Drives[i].Load.Hits = min(s.Drives[i].Load.Hits, 1400)
		}
	}
}

// prefixOf and exactly match a path.
func prefixOf(path string) gatewayv1.HTTPPathMatch {
	return gatewayv1.HTTPPathMatch{Type: new(gatewayv1.PathMatchPathPrefix), Value: &path}
}

func exactly(path string) gatewayv1.HTTPPathMatch {
	return gatewayv1.HTTPPathMatch{Type: new(gatewayv1.PathMatchExact), Value: &path}
}

// byPath has the route's first rule match each of these paths instead.
func byPath(paths ...gatewayv1.HTTPPathMatch) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error {
		r.Spec.Rules[0].Matches = nil
		for _, path := range paths {
			r.Spec.Rules[0].Matches = append(r.Spec.Rules[0].Matches, gatewayv1.HTTPRouteMatch{Path: &path})
		}
		return nil
	})
}

// byHeader has the route's first rule match each of the headers by itself.
func byHeader(headers ...gatewayv1.HTTPHeaderMatch) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error {
		r.Spec.Rules[0].Matches = nil
		for _, header := range headers {
			r.Spec.Rules[0].Matches = append(r.Spec.Rules[0].Matches, gatewayv1.HTTPRouteMatch{Headers: []gatewayv1.HTTPHeaderMatch{header}})
		}
		return nil
	})
}

func header(kind gatewayv1.HeaderMatchType, name, value string) gatewayv1.HTTPHeaderMatch {
	return gatewayv1.HTTPHeaderMatch{Type: &kind, Name: gatewayv1.HTTPHeaderName(name), Value: value}
}

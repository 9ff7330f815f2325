package peer

import gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

// splits are defects of upstream's weights, 70 and 30 as the workshop's are.
func splits() []Mutant {
	weight := in{"MeshHTTPRouteWeight", "httproute-weight", "mesh-weighted-backends", true}
	shares := func(v1, v2 int32) func(*gatewayv1.HTTPRoute) {
		return func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].BackendRefs[0].Weight, r.Spec.Rules[0].BackendRefs[1].Weight = &v1, &v2
		}
	}
	return []Mutant{
		weight.of("split-65-35", "weights 65 and 35", shares(65, 35)),
		weight.of("split-75-25", "weights 75 and 25", shares(75, 25)),
		weight.of("split-60-40", "weights 60 and 40", shares(60, 40)),
		weight.of("split-50-50", "weights 50 and 50", shares(50, 50)),
		weight.of("split-swapped", "weights 30 and 70", shares(30, 70)),
		weight.of("split-missing", "the route is missing", nil),
		weight.of("split-parent-port", "the route is on a port that the Service does not have", func(r *gatewayv1.HTTPRoute) {
			r.Spec.ParentRefs[0].Port = new(absentPort)
		}),
		weight.of("split-backend-port", "one backend is on a port that its Service does not have", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].BackendRefs[1].Port = new(absentPort)
		}),
	}
}

// absentPort is one that none of upstream's Services has.
const absentPort = gatewayv1.PortNumber(8001)

// enrolments are defects of how upstream's namespace is part of the mesh. They
// touch no route, so a few tests of the profile are asked: one of each sort of
// route that says something about every request.
func enrolments() []Mutant {
	of := func(name, title string, spoil func(*Enrolment)) Mutant {
		return Mutant{Name: name, Title: title, Ours: true, Spoil: spoil, Tests: []string{
			"MeshHTTPRouteMatching", "MeshHTTPRouteRedirectHostAndStatus", "MeshHTTPRouteSimpleSameNamespace", "MeshHTTPRouteWeight",
		}}
	}
	return []Mutant{
		of("enrolment-service-opts-out", "the Service of an enrolled namespace opts out", func(e *Enrolment) { e.OptedOut = true }),
		of("enrolment-agency-missing", "the namespace is not enrolled", func(e *Enrolment) { e.Used = false }),
		of("waypoint-missing", "the namespace's Gateway is missing", func(e *Enrolment) { e.Waypoint = false }),
	}
}

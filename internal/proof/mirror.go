package proof

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// mirrors are defects of the workshop's mirror.
func mirrors() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task7/mirror-100", Kills: kills, make: few(change)}
	}
	return []Mutant{
		of("mirror-90", "90 % are copied", mirrored(90), "exactly-once", "by-log-alone"),
		of("mirror-none", "nothing is copied", mirrored(0), "exactly-once", "by-log-alone"),
		of("mirror-elsewhere", "the copies go to cars-v1", route(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules[0].Filters[0].RequestMirror.BackendRef.Name = "cars-v1"
			return nil
		}), "exactly-once", "by-log-alone"),
		of("mirror-twice", "there are two mirrors: each copy comes twice", route(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules[0].Filters = append(r.Spec.Rules[0].Filters, r.Spec.Rules[0].Filters[0])
			return nil
		}), "exactly-once", "by-log-alone"),
		of("mirror-of-cars", "the primary is the Service cars, as in the workshop's own file", backend("cars"), "exactly-once", "answers", "by-log-alone"),
		of("mirror-stays", "the route is in force before it is applied and after it is deleted", stays, "before", "after"),
	}
}

// mirrored copies another share.
func mirrored(percent int32) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error { return manifests.SetMirrorPercent(r, percent) })
}

// backend makes another Service the route's primary.
func backend(name gatewayv1.ObjectName) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error {
		r.Spec.Rules[0].BackendRefs[0].Name = name
		return nil
	})
}

// also gives another Service a share of the primary's requests, in per cent.
func also(name gatewayv1.ObjectName, percent int32) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error {
		first := r.Spec.Rules[0].BackendRefs[0]
		other := first
		other.Name = name
		first.Weight, other.Weight = new(100-percent), &percent
		r.Spec.Rules[0].BackendRefs = []gatewayv1.HTTPBackendRef{first, other}
		return nil
	})
}

// moreMirrors are defects of the other mirrors.
func moreMirrors() []Mutant {
	of := func(name, title, scenario string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task7/" + scenario, Kills: kills, make: change}
	}
	return []Mutant{
		of("mirror-0-leaks", "1 % are copied instead of nothing", "mirror-0", mirrored(1), "share"),
		of("mirror-10-12", "12 % are copied instead of 10 %", "mirror-10", mirrored(12), "share"),
		of("mirror-50-45", "45 % are copied instead of half", "mirror-50", mirrored(45), "share"),
		of("mirror-slow-waited-for", "one answer in twenty comes from the mirror that takes a second", "mirror-slow", also("cars-slow", 5), "latency").besides("copies"),
		of("mirror-slow-90", "90 % are copied to the slow mirror", "mirror-slow", few(mirrored(90)), "copies"),
		of("mirror-failing-shown", "one answer in a hundred comes from the mirror that fails", "mirror-failing", also("cars-failing", 1), "answers").besides("copies"),
		of("mirror-failing-90", "90 % are copied to the failing mirror", "mirror-failing", few(mirrored(90)), "copies"),
		of("mirror-original-half", "the workshop's own file copies half", "mirror-original", mirrored(50), "twice"),
	}
}

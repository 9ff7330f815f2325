package proof

import (
	appsv1 "k8s.io/api/apps/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// splits are defects of the workshop's split.
func splits() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task4/split-70-30", Kills: kills, make: change}
	}
	shares := func(v1, v2 int32) func(*catalogue.Scenario) {
		return weighted(map[string]int32{"cars-v1": v1, "cars-v2": v2})
	}
	return []Mutant{
		of("split-65-35", "weights 65 and 35", shares(65, 35), "share"),
		of("split-75-25", "weights 75 and 25", shares(75, 25), "share"),
		of("split-60-40", "weights 60 and 40", shares(60, 40), "share"),
		of("split-50-50", "weights 50 and 50", shares(50, 50), "share"),
		of("split-swapped", "weights 30 and 70", shares(30, 70), "share"),
		of("split-missing", "the route is missing", missing, "share").besides("independence"),
		of("split-parent-port", "the route is on a port that the Service does not have", refusedRoute(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.ParentRefs[0].Port = new(gatewayv1.PortNumber(8001))
			return nil
		}), "share").besides("independence"),
		of("split-backend-port", "one backend is on a port that its Service does not have", refusedRoute(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules[0].BackendRefs[1].Port = new(gatewayv1.PortNumber(8001))
			return nil
		}), "share"),
		of("split-turns", "seven requests in ten by their number: the totals are right, nothing is drawn", turns, "independence"),
		of("split-sticky", "seventy requests in a row to v1, then thirty to v2: the totals are right", inRows, "independence"),
		of("split-stays", "the route is in force before it is applied and after it is deleted", stays, "before", "after"),
	}
}

// turns routes by the last digit of the request's number: exactly seven in ten
// go to v1, in turns.
func turns(s *catalogue.Scenario) { numbered(".*[0-6]")(s) }

// inRows routes by the tens digit: exactly seven in ten go to v1, seventy in a row.
func inRows(s *catalogue.Scenario) { numbered(".*[0-6][0-9]")(s) }

// numbered routes by the request's number, which every request carries in a
// header: to v1 where the expression matches, else to v2.
func numbered(expression string) func(*catalogue.Scenario) {
	return route(func(r *gatewayv1.HTTPRoute) error {
		both := r.Spec.Rules[0]
		one, other := both, both
		one.BackendRefs, other.BackendRefs = both.BackendRefs[:1], both.BackendRefs[1:]
		one.Matches = []gatewayv1.HTTPRouteMatch{{
			Headers: []gatewayv1.HTTPHeaderMatch{header(gatewayv1.HeaderMatchRegularExpression, "x-wayproof-id", expression)},
		}}
		r.Spec.Rules = []gatewayv1.HTTPRouteRule{one, other}
		return nil
	})
}

// moreSplits are defects of the other splits.
func moreSplits() []Mutant {
	of := func(name, title, scenario string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task4/" + scenario, Kills: kills, make: change}
	}
	two := func(v1, v2 int32) func(*catalogue.Scenario) {
		return weighted(map[string]int32{"cars-v1": v1, "cars-v2": v2})
	}
	three := func(v1, v2, v3 int32) func(*catalogue.Scenario) {
		return weighted(map[string]int32{"cars-v1": v1, "cars-v2": v2, "cars-v3": v3})
	}
	return []Mutant{
		of("replicas-60-40", "weights 60 and 40, through two waypoint replicas", "split-70-30-two-waypoints", two(60, 40), "share"),
		of("replicas-turns", "seven requests in ten by their number, through two waypoint replicas", "split-70-30-two-waypoints", turns, "independence"),
		staleReplica(),
		of("split-85-15", "weights 85 and 15 instead of 90 and 10", "split-90-10", two(85, 15), "share"),
		of("split-90-10-turns", "nothing is drawn: by the request's number", "split-90-10", turns, "share", "independence"),
		of("split-98-2", "weights 98 and 2 instead of 100 and 0", "split-100-0", two(98, 2), "share"),
		of("split-arms-swapped", "the second and third of three arms are swapped", "split-three-arms", three(50, 20, 30), "share"),
		of("split-zero-leaks", "the arm of weight 0 has weight 2", "split-weight-zero", three(70, 30, 2), "share"),
		of("split-all-zero-leaks", "one of the arms of weight 0 has weight 1", "split-all-zero", two(0, 1), "refused"),
	}
}

// staleReplica cannot be shown to a claim on a cluster.
func staleReplica() Mutant {
	return Mutant{
		Name: "replica-stale", Title: "one of two waypoint replicas serves an older revision",
		Scenario: "task4/split-70-30-two-waypoints", Kills: []string{"independence"}, make: missing,
		Unplayable: "no request counts before every replica has acknowledged a push that was made after the change, so a stale one ends the scenario before any claim is asked; the claim is shown by the spoilt record stale-replica",
	}
}

// balances are defects of what the node proxy spreads.
func balances() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "l4/connections", Kills: kills, make: change}
	}
	return []Mutant{
		of("l4-one-pod", "there is one pod instead of two", prepared(on("Deployment", func(d *appsv1.Deployment) error {
			manifests.SetReplicas(d, 1)
			return nil
		})), "balance"),
		of("l4-by-waypoint", "the Service goes by its namespace's waypoint", prepared(on("Service", func(s *serviceObject) error {
			delete(s.Labels, "istio.io/use-waypoint")
			return nil
		})), "direct").besides("balance"),
	}
}

package catalogue

import (
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// carsV3 is a third version of cars, behind the Service cars like the others.
func carsV3() Piece { return Piece{File: "capabilities/cars-v3.yaml"} }

// titled names a scenario and the promise of its share.
func (s Scenario) titled(title string) Scenario {
	s.Title, s.Promises[0].Title = title, title
	return s
}

func (s Scenario) with(setup ...Piece) Scenario {
	s.Setup = append(s.Setup, setup...)
	return s
}

// keep leaves a scenario its windows of these names alone, and the promises
// about them.
func (s Scenario) keep(windows ...string) Scenario {
	s.Drives = filter(s.Drives, func(d Drive) bool { return slices.Contains(windows, d.Window) })
	s.Promises = filter(s.Promises, func(p record.Promise) bool { return slices.Contains(windows, p.Window) })
	return s
}

func filter[T any](list []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(item T) bool { return !keep(item) })
}

// splitShort is a split without windows of its own before and after: that a
// route works only while it is there is shown at full size by the first.
func splitShort(capability string, hits int, arms ...claim.Arm) Scenario {
	s := split("task4/"+capability, "", "capabilities/"+capability+".yaml", arms...).keep(Applied)
	if !slices.ContainsFunc(arms[1:], func(arm claim.Arm) bool { return arm.Weight > 0 }) {
		s.Promises[0].Delta = 10 // nothing is drawn: one request in a hundred that strays is to be seen
	}
	s.Expect = 9 * time.Second
	s.Drives[0].Load.Hits = hits
	s.Promises = perConnection(s.Promises, hits)
	return s
}

// perConnection has independence read n requests: so many that each connection
// carries enough of the rarer version to be compared with the others.
func perConnection(promises []record.Promise, n int) []record.Promise {
	for i := range promises {
		if promises[i].Kind == claim.KindIndependence {
			promises[i].N = n
		}
	}
	return promises
}

// splitReplicas plays the workshop's split through two replicas of the waypoint,
// each of which draws for itself: enough connections go through each that a
// replica with an old configuration is not missed.
func splitReplicas() Scenario {
	arms := []claim.Arm{{Version: "v1", Weight: 70}, {Version: "v2", Weight: 30}}
	s := split("task4/split-70-30-two-waypoints", "gives v1 70 % and v2 30 % through each of two waypoint replicas",
		"workshop/07-cars-traffic-split.yaml", arms...).keep(Applied)
	s.Replicas, s.Expect = map[string]int32{agencyWaypoint: 2}, 12*time.Second
	s.Drives[0].Load.Clients = 64
	s.Promises = perConnection(s.Promises, 3000)
	for i := range s.Promises {
		switch s.Promises[i].Kind {
		case claim.KindSplit:
			s.Promises[i].Params = claim.Params(claim.SplitParams{Service: "cars", Arms: arms, Replicas: 2})
		case claim.KindIndependence:
			s.Promises[i].Title = "picks v1 whichever replica, connection and request before it were"
			s.Promises[i].Params = claim.Params(claim.IndependenceParams{
				Block:   rotation,
				Version: "v1", Over: []string{claim.OverRuns, claim.OverConnections, claim.OverReplicas, claim.OverBlocks},
			})
		}
	}
	return s
}

// splitAllZero has no arm with a weight: there is nobody to answer.
func splitAllZero() Scenario {
	s := Scenario{
		ID: "task4/split-all-zero", Task: "task4", Title: "answers 500 where every arm has weight 0", Base: Versions,
		Apply: []Piece{{File: "capabilities/split-all-zero.yaml"}}, Waypoints: []string{"travel-agency"}, Expect: 8 * time.Second,
	}
	s.add(Applied, few(get("cars", carsURL+"/cars/Madrid")), carsApp)
	s.Promises = []record.Promise{every(s, "refused", s.Title, Applied, claim.Conditions{
		Status: 500, Server: "istio-envoy", Backend: &claim.Backend{Of: claim.Selector{Service: "cars"}, Arrivals: new(0)},
	})}
	return s
}

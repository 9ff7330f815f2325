package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// timeouts is the request timeout of an HTTPRoute, 500 ms. What is slow is the
// backend, at the request's own command: an injected delay on the same hop would
// not be subject to the timeout.
func timeouts() []Scenario {
	s := Scenario{
		ID: "timeouts/request", Task: "timeouts", Title: "answers 504 after 500 ms, and only then", Base: Enrolled,
		Waypoints: []string{"travel-agency"}, Expect: 25 * time.Second,
		Apply: []Piece{{File: "capabilities/timeout-request.yaml"}},
	}
	slow, below, quick := slowed("slow", "1s"), slowed("below", "200ms"), get("quick", carsURL+"/cars/Madrid")
	s.Drives = []Drive{
		timeoutDrive(stage(s.ID, Before), Before, keepalive(250, 700, slow)),
		timeoutDrive(stage(s.ID, Applied), Applied, keepalive(250, 5500, slow)),
		timeoutDrive(stage(s.ID, Applied)+"-rows", Applied, keepalive(250, 3*perVariant, slow, below, quick)),
		timeoutDrive(stage(s.ID, After), After, keepalive(250, 700, slow)),
	}
	once := func(status int) claim.Conditions {
		return claim.Conditions{Status: status, Server: "istio-envoy", Backend: &claim.Backend{Of: claim.Selector{Service: "cars"}}}
	}
	waited := claim.Conditions{Status: 200, AtLeastMs: 1000}
	s.Promises = []record.Promise{
		every(s, "before", "before, a request that takes a second is answered", Before, waited),
		quantiles(s, "elapsed", "ends a request that takes a second after 500 ms", Applied, claim.LatencyParams{Bounds: []claim.QuantileBound{
			{Quantile: 10, AtLeastMs: 490}, {Quantile: 990, AtMostMs: 600},
		}, Looks: 2}),
		every(s, "status", "answers 504 to a request that takes a second", Applied, claim.Conditions{Status: 504}),
		table(s, "rows", "ends what takes too long, once, and lets the rest pass", stage(s.ID, Applied)+"-rows", []claim.Row{
			{Target: "slow", Want: once(504)}, {Target: "below", Want: once(200)}, {Target: "quick", Want: once(200)},
		}),
		every(s, "after", "after the route is deleted it is answered again", After, waited),
	}
	return []Scenario{s.labelled(Quick)}
}

// slowed is a request that cars is to take some time for.
func slowed(name, delay string) record.Target {
	target := get(name, carsURL+"/cars/Madrid")
	target.Header = map[string]string{"x-wayproof-delay": delay, "x-wayproof-at": "cars"}
	return target
}

func timeoutDrive(name, window string, load record.Load) Drive {
	return Drive{
		Name: name, Window: window, Waypoint: agencyWaypoint, Load: load,
		Collect: []string{"travel-agency/cars"}, Quiet: 300 * time.Millisecond,
	}
}

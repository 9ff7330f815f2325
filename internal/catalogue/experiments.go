package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/chaos"
)

// Failure domains: two faults of one never follow each other directly.
const (
	domainWaypoint = "waypoint"
	domainNode     = "node"
	domainNetwork  = "network"
	domainControl  = "control plane"
	domainBackend  = "backend"
)

// ofWaypoint is a fault of the agency's waypoint.
func ofWaypoint(name, domain string, hold time.Duration, params ...string) chaos.Spec {
	return upset(name, agencyWaypoint, domain, hold, params...)
}

// upset takes its parameters in pairs.
func upset(name, target, domain string, hold time.Duration, params ...string) chaos.Spec {
	spec := chaos.Spec{Name: name, Target: target, Domain: domain, Hold: hold, Params: map[string]string{}}
	for i := 0; i+1 < len(params); i += 2 {
		spec.Params[params[i]] = params[i+1]
	}
	return spec
}

// How much a fault may cost where a replica dies without a word: what was in
// flight and what was kept open to it, which is a share of a short window.
const (
	abruptPPM  = 60_000
	streamsPPM = 600_000
)

// Resilience lists every experiment of the resilience suite, in the order it
// is played.
func Resilience() []Experiment {
	var all []Experiment
	for _, part := range [][]Experiment{waypointFaults(), networkFaults(), meshFaults(), backendFaults()} {
		all = append(all, part...)
	}
	return all
}

// waypointFaults take a replica of a waypoint away, with and without notice.
func waypointFaults() []Experiment {
	graceful := allowance{keptPPM: 0, newPPM: 0, streamPPM: 0, keptWithin: time.Second, newWithin: time.Second, wholeWithin: time.Second}
	abrupt := allowance{keptPPM: abruptPPM, newPPM: abruptPPM, streamPPM: streamsPPM, newWithin: 5 * time.Second, keptWithin: 10 * time.Second, wholeWithin: 5 * time.Second}
	hung := allowance{keptPPM: -1, newPPM: -1, streamPPM: -1, newWithin: 75 * time.Second, keptWithin: 75 * time.Second, wholeWithin: 15 * time.Second}
	return []Experiment{
		experiment("kill-force", "one of two waypoint replicas dies at once", ofWaypoint("kill", domainWaypoint, 20*time.Second, "grace", "0"), abrupt).quickly(),
		experiment("kill-graceful", "one of two waypoint replicas is deleted", ofWaypoint("kill", domainWaypoint, 20*time.Second), graceful).served(1),
		experiment("evict", "one of two waypoint replicas is evicted", ofWaypoint("evict", domainWaypoint, 20*time.Second), graceful).served(1),
		experiment("restart", "the waypoint is rolled", ofWaypoint("restart", domainWaypoint, 20*time.Second), graceful).served(1),
		experiment("scale-up", "the waypoint goes from two to three replicas", ofWaypoint("scale", domainWaypoint, 20*time.Second, "to", "3"), graceful).served(2),
		experiment("scale-down", "the waypoint goes from two replicas to one", ofWaypoint("scale", domainWaypoint, 20*time.Second, "to", "1"), graceful).served(1),
		experiment("drain", "the node of a waypoint replica is drained", ofWaypoint("drain", domainNode, 20*time.Second), graceful).
			with(Piece{File: "resilience/agency-pdb.yaml"}).served(1),
		experiment("hang", "Envoy of one of two waypoint replicas hangs", ofWaypoint("hang", domainWaypoint, 90*time.Second), hung),
	}
}

// networkFaults break legs at one of two waypoint replicas.
func networkFaults() []Experiment {
	cut := allowance{keptPPM: -1, newPPM: -1, streamPPM: -1, wholeWithin: 30 * time.Second}
	lossy := allowance{keptPPM: abruptPPM, newPPM: abruptPPM, streamPPM: -1, wholeWithin: 10 * time.Second}
	none := allowance{wholeWithin: time.Second}
	return []Experiment{
		experiment("partition-client", "no packet of clients reaches one of two waypoint replicas",
			ofWaypoint("partition", domainNetwork, 30*time.Second, "leg", "client-waypoint"), cut),
		experiment("partition-backend", "no packet of one of two waypoint replicas reaches the backends",
			ofWaypoint("partition", domainNetwork, 30*time.Second, "leg", "waypoint-backend", "backend", "travel-agency/cars"), cut),
		experiment("partition-istiod", "one of two waypoint replicas does not reach istiod",
			ofWaypoint("partition", domainNetwork, 30*time.Second, "leg", "waypoint-istiod"), none),
		experiment("loss-client", "one packet in ten of clients is lost before one of two waypoint replicas",
			ofWaypoint("loss", domainNetwork, 30*time.Second, "leg", "client-waypoint", "percent", "10"), lossy),
		experiment("delay", "packets of a waypoint replica are 100 ms late",
			ofWaypoint("delay", domainNetwork, 30*time.Second, "by", "100ms"), none),
	}
}

// meshFaults are those of the mesh around the waypoint.
func meshFaults() []Experiment {
	none := allowance{wholeWithin: time.Second}
	churned := upset("churn", "travel-agency/cars-traffic-split", domainControl, 30*time.Second, "perSecond", "5")
	proxies := allowance{keptPPM: abruptPPM, newPPM: 0, streamPPM: streamsPPM, newWithin: time.Second, keptWithin: 10 * time.Second, wholeWithin: 5 * time.Second}
	return []Experiment{
		experiment("istiod-gone", "istiod is gone", upset("istiod", "istio-system/istiod", domainControl, 2*time.Minute), none),
		experiment("churn", "the route changes five times a second", churned, none).with(Piece{File: "workshop/07-cars-traffic-split.yaml"}),
		experiment("nodeproxy", "the node proxy beside the clients is restarted",
			upset("nodeproxy", "ztunnel/ztunnel", domainNode, 20*time.Second, "beside", "wayproof-load/app=load"), proxies).aboutNodeProxy(),
		experiment("nodeproxy-rolling", "the node proxies are restarted one by one",
			upset("nodeproxy", "ztunnel/ztunnel", domainNode, 20*time.Second, "rolling", "yes"), proxies).aboutNodeProxy(),
		experiment("burn", "two threads burn CPU beside the waypoint", ofWaypoint("burn", domainNode, 20*time.Second, "workers", "2"), none),
	}
}

// backendFaults are those of what is behind the waypoint: errors must come
// through as they are, and end with the fault.
func backendFaults() []Experiment {
	failing := allowance{keptPPM: -1, newPPM: -1, streamPPM: -1, wholeWithin: 10 * time.Second}
	return []Experiment{
		experiment("backend-errors", "one of two versions of the backend answers 503",
			upset("backend", "travel-agency/cars-v2", domainBackend, 15*time.Second, "order", "status=503"), failing),
		experiment("backend-slow", "one of two versions of the backend takes half a second",
			upset("backend", "travel-agency/cars-v2", domainBackend, 15*time.Second, "order", "delay=500ms"), allowance{wholeWithin: 5 * time.Second}),
	}
}

// with puts pieces there for the whole experiment.
func (e Experiment) with(pieces ...Piece) Experiment {
	e.Setup = append(e.Setup, pieces...)
	return e
}

func (e Experiment) quickly() Experiment {
	e.Labels = append(e.Labels, Quick)
	return e
}

// aboutNodeProxy marks what depends on ztunnel itself.
func (e Experiment) aboutNodeProxy() Experiment {
	for i := range e.Promises {
		e.Promises[i].AboutNodeProxy = true
	}
	return e
}

// ScenariosOf are experiments as scenarios, for selection and planning.
func ScenariosOf(experiments []Experiment) []Scenario {
	scenarios := make([]Scenario, len(experiments))
	for i, e := range experiments {
		scenarios[i] = e.Scenario
	}
	return scenarios
}

// Ground is what every fault can be injected into: two replicas, a route to
// churn, a budget to drain against.
func Ground() Scenario {
	return Scenario{
		ID: "resilience/ground", Task: "resilience", Title: "faults without load", Base: Versions,
		Waypoints: []string{"travel-agency"}, Replicas: map[string]int32{agencyWaypoint: 2},
		Setup: []Piece{{File: "workshop/07-cars-traffic-split.yaml"}, {File: "resilience/agency-pdb.yaml"}},
	}
}

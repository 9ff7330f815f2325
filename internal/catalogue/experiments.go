package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
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

// Resilience lists every experiment of the resilience suite, in the order it
// is played.
func Resilience() []Experiment {
	var all []Experiment
	for _, part := range [][]Experiment{waypointFaults(), drains(), networkFaults(), meshFaults(), backendFaults()} {
		all = append(all, part...)
	}
	return all
}

// waypointFaults take a replica of a waypoint away, with and without notice.
func waypointFaults() []Experiment {
	graceful := allowance{keptPPM: 0, newPPM: 0, streamPPM: 0, keptWithin: time.Second, newWithin: time.Second, wholeWithin: time.Second}
	abrupt := allowance{keptPPM: abruptPPM, newPPM: abruptPPM, streamPPM: streamsPPM, newWithin: 5 * time.Second, keptWithin: 10 * time.Second, wholeWithin: 5 * time.Second}
	hung := allowance{keptPPM: heldPPM, newPPM: halfOf(75, 90), streamPPM: halfOf(75, 90), newWithin: 75 * time.Second, keptWithin: 75 * time.Second, wholeWithin: 15 * time.Second}
	return []Experiment{
		experiment("kill-force", "one of two waypoint replicas dies at once", ofWaypoint("kill", domainWaypoint, 20*time.Second, "grace", "0"), abrupt).split().quickly(),
		experiment("crash", "Envoy of one of two waypoint replicas is killed", ofWaypoint("crash", domainWaypoint, 20*time.Second), abrupt).split(),
		experiment("kill-graceful", "one of two waypoint replicas is deleted", ofWaypoint("kill", domainWaypoint, 20*time.Second), graceful).split().served(1),
		experiment("evict", "one of two waypoint replicas is evicted", ofWaypoint("evict", domainWaypoint, 20*time.Second, "edge", "yes"), graceful).
			split().budgeted().atTheEdge().served(1),
		experiment("evict-autoscaled", "one of the autoscaler's two waypoint replicas is evicted",
			ofWaypoint("evict", domainWaypoint, 25*time.Second, "edge", "yes"), graceful).split().budgeted().autoscaled().atTheEdge().served(1).lengthy(),
		experiment("restart", "the waypoint is rolled", ofWaypoint("restart", domainWaypoint, 20*time.Second), graceful).split().served(1),
		experiment("scale-up", "the waypoint goes from two to three replicas", ofWaypoint("scale", domainWaypoint, 20*time.Second, "to", "3"), graceful).split().served(2).unfelt(950),
		experiment("scale-down", "the waypoint goes from two replicas to one", ofWaypoint("scale", domainWaypoint, 20*time.Second, "to", "1"), graceful).split().served(1),
		experiment("hang", "Envoy of one of two waypoint replicas hangs", ofWaypoint("hang", domainWaypoint, 90*time.Second), hung),
		experiment("rotate", "the waypoint's certificates live for 40 s", ofWaypoint("rotate", domainWaypoint, 90*time.Second, "ttl", "40s"), graceful).
			split().rotated(3).served(1).unfelt(950),
		boundary(),
	}
}

// drains are those of nodes, against a disruption budget.
func drains() []Experiment {
	graceful := allowance{keptPPM: 0, newPPM: 0, streamPPM: 0, keptWithin: time.Second, newWithin: time.Second, wholeWithin: time.Second}
	still := allowance{wholeWithin: time.Second}
	alone := experiment("drain-blocked", "a node with the only waypoint replica cannot be drained",
		ofWaypoint("drain", domainNode, 15*time.Second, "blocked", "yes"), still).with(Piece{File: "resilience/agency-pdb.yaml"}).served(1).blocked()
	alone.Replicas = map[string]int32{agencyWaypoint: 1}
	return []Experiment{
		experiment("drain", "the node of a waypoint replica is drained", ofWaypoint("drain", domainNode, 20*time.Second), graceful).
			split().budgeted().served(1),
		experiment("drain-all", "the nodes of all waypoint replicas are drained in turn",
			ofWaypoint("drain", domainNode, 20*time.Second, "nodes", "all"), graceful).split().budgeted().waiting(2).served(1),
		alone,
	}
}

// networkFaults break legs at one of two waypoint replicas.
func networkFaults() []Experiment {
	cut := allowance{keptPPM: heldPPM, newPPM: halfOf(1, 1), streamPPM: halfOf(1, 1), keptWithin: 15 * time.Second, servedPPM: fewPPM, wholeWithin: 30 * time.Second}
	lossy := allowance{keptPPM: abruptPPM, newPPM: abruptPPM, streamPPM: halfOf(1, 1), wholeWithin: 10 * time.Second}
	none := allowance{wholeWithin: time.Second}
	return []Experiment{
		experiment("partition-client", "no packet of clients reaches one of two waypoint replicas",
			ofWaypoint("partition", domainNetwork, 30*time.Second, "leg", "client-waypoint"), cut),
		experiment("partition-backend", "no packet of one of two waypoint replicas reaches the backends",
			ofWaypoint("partition", domainNetwork, 30*time.Second, "leg", "waypoint-backend", "backend", "travel-agency/cars"), cut),
		experiment("partition-istiod", "one of two waypoint replicas does not reach istiod",
			ofWaypoint("partition", domainNetwork, 30*time.Second, "leg", "waypoint-istiod"), none).split(),
		experiment("loss-client", "one packet in ten of clients is lost before one of two waypoint replicas",
			ofWaypoint("loss", domainNetwork, 30*time.Second, "leg", "client-waypoint", "percent", "10"), lossy),
		experiment("delay", "packets of a waypoint replica are 100 ms late",
			ofWaypoint("delay", domainNetwork, 30*time.Second, "by", "100ms"), none).split().slower(100),
	}
}

// istiodRequests is how many requests without an error show, with 95 % confidence,
// that less than one in ten thousand fails; istiodRate sends them in two minutes,
// with a sixth to spare for what a busy machine skips.
const (
	istiodRequests = 29_956
	istiodRate     = 300
)

// meshFaults are those of the mesh around the waypoint.
func meshFaults() []Experiment {
	none := allowance{wholeWithin: time.Second}
	churned := upset("churn", carsRoute, domainControl, 30*time.Second, "perSecond", "5")
	proxies := allowance{keptPPM: abruptPPM, newPPM: 0, streamPPM: streamsPPM, newWithin: time.Second, keptWithin: 10 * time.Second, wholeWithin: 5 * time.Second}
	rolled := proxies
	rolled.keptWithin = 0 // each cuts what it has kept when its own drain is over: what that costs is promised, not when
	return []Experiment{
		experiment("istiod-gone", "istiod is gone, and a change of the route waits for it",
			upset("istiod", "istio-system/istiod", domainControl, 2*time.Minute, "route", carsRoute), none).
			splitMeanwhile().faster(ArmGet, istiodRate, istiodRequests).unfelt(950).arrives(),
		experiment("churn", "the route changes five times a second", churned, none).with(Piece{File: splitRoute}).unfelt(churnedPerMille),
		experiment("nodeproxy", "the node proxy beside the clients is restarted",
			upset("nodeproxy", NodeProxy, domainNode, 20*time.Second, "beside", "wayproof-load/app=load"), proxies).aboutNodeProxy(),
		experiment("nodeproxy-rolling", "the node proxies are rolled",
			upset("nodeproxy", NodeProxy, domainNode, 45*time.Second, "rolling", "yes"), rolled).aboutNodeProxy(),
		experiment("burn", "two threads burn CPU beside the waypoint", ofWaypoint("burn", domainNode, 20*time.Second, "workers", "2"), none).split(),
	}
}

// churnedPerMille leaves room for what the generator itself sends late: routes
// applied five times a second keep the processors of a small machine busy.
const churnedPerMille = 900

// NodeProxy is the target of a fault of the node proxy: it is looked for, for its
// namespace is each installation's own.
const NodeProxy = "ztunnel/ztunnel"

// carsRoute is the route of the workshop's split.
const carsRoute = "travel-agency/cars-traffic-split"

// backendFaults are those of what is behind the waypoint: errors must come
// through as they are, and end with the fault. It takes a rollout to end them.
func backendFaults() []Experiment {
	failing := allowance{keptPPM: shareOfV2, newPPM: shareOfV2, keptWithin: time.Second, newWithin: time.Second, servedPPM: mostPPM, wholeWithin: 30 * time.Second}
	failing.streamPPM = shareOfV2
	return []Experiment{
		experiment("backend-errors", "one of two versions of the backend answers 503",
			upset("backend", "travel-agency/cars-v2", domainBackend, 20*time.Second, "order", "status=503"), failing).split().settled().passedOn(),
		experiment("backend-slow", "one of two versions of the backend takes half a second",
			upset("backend", "travel-agency/cars-v2", domainBackend, 15*time.Second, "order", "delay=500ms"), allowance{wholeWithin: 10 * time.Second}).
			split().settled().held(500),
	}
}

// settled judges from the confirmation of the fault on.
func (e Experiment) settled() Experiment {
	e.Settled = true
	return e
}

// rotated promises so many replacements of certificates.
func (e Experiment) rotated(times float64) Experiment {
	e.Promises = append(e.Promises, e.sampled("rotations", "every replica's certificate is replaced again and again",
		claim.SeriesCondition{Series: chaos.SeriesRotations, Reach: atLeast(times), MaxGapMs: 20_000}))
	return e.settled()
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

// lengthy keeps an experiment for when there is time.
func (e Experiment) lengthy() Experiment {
	e.Labels = append(e.Labels, Long)
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

// Footfall is the load on the ground: a connection for each of a few requests,
// so that packets which a fault drops are there to be dropped.
func Footfall() record.Load {
	load := armLoad(ArmFresh)
	load.Rate, load.Pacing = 20, "skip"
	load.Hits = int(load.Rate * time.Hour.Seconds())
	return load
}

// Ground is what every fault can be injected into: two replicas, a route to
// churn, a budget to drain against.
func Ground() Scenario {
	return Scenario{
		ID: "resilience/ground", Task: "resilience", Title: "faults without a verdict on traffic", Base: Versions,
		Waypoints: []string{"travel-agency"}, Replicas: map[string]int32{agencyWaypoint: 2},
		Setup: []Piece{{File: splitRoute}, {File: "resilience/agency-pdb.yaml"}},
	}
}

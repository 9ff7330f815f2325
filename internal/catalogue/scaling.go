package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Scaling has a stage watch a waypoint's replicas while its load runs, or, in a
// stage without load, for a time. What it reads becomes samples, with the
// objects' "namespace/name" in the middle:
//
//	hpa/…/current, desired, min, max    what the autoscaler says, and was told
//	hpa/…/utilization                   per cent of the requested CPU, by its word
//	hpa/…/able, active                  1 where its conditions AbleToScale, ScalingActive are true
//	hpa/…/turns, fall                   changes of direction of its wish; seconds until it first fell
//	hpa/…/settled                       1 where its CPU is at the target, or it is at its maximum
//	pdb/…/allowed                       disruptions that the budget allows
//	waypoint/…/ready, cpu               ready pods; thousandths of a core per pod, by the metrics API
//	eviction/…/first, edge, dry         status codes of the Eviction API
type Scaling struct {
	Waypoint   string
	Autoscaler string // sampled if set
	Budget     string // sampled if set
	// Replicas scales the waypoint first; 0 leaves it as it is.
	Replicas int32
	Every    time.Duration
	// Lasts ends the stage, and Enough or Few earlier: when at least, or at most,
	// that many replicas have been ready for Hold.
	Lasts  time.Duration
	Enough int
	Few    int
	Hold   time.Duration
	Evict  Eviction
}

// Eviction is what is asked of the Eviction API meanwhile.
type Eviction int

// The evictions.
const (
	EvictNone Eviction = iota
	EvictDry           // one pod, as a dry run: may it go?
	EvictEdge          // one pod, and when no more disruption is allowed another
)

// The autoscaler and the budget of the workshop, both about the portal's waypoint.
const (
	portalAutoscaler = "travel-portal/waypoint-travel-portal-hpa"
	portalBudget     = "travel-portal/waypoint-travel-portal-pdb"
)

// Times of an autoscaler, after the time model of Kubernetes' own end-to-end
// tests: metrics 30+30+15 s, reconciliation 15 s, actuation 10 s; and for pods to
// become ready a minute more.
const (
	hpaReaction = 100 * time.Second
	hpaReady    = hpaReaction + time.Minute
	hpaSync     = 15 * time.Second
)

// scaling is tasks 8 and 9.
func scaling() []Scenario { return []Scenario{autoscaling(), budget()} }

// autoscaling plays the workshop's untouched autoscaler: 2 to 5 replicas at 50 %
// of the requested 100m. That waypoint carries only calls to the Services of
// travel-portal, so the load is on these.
func autoscaling() Scenario {
	s := Scenario{
		ID: "task8/hpa", Task: "task8", Title: "scales the waypoint with its CPU from 2 to at least 3 and never above 5 replicas",
		Base: Enrolled, Waypoints: []string{"travel-portal"}, Apply: []Piece{{File: "workshop/03-waypoint-hpa.yaml"}},
		Replicas: map[string]int32{portalWaypoint: 1}, Expect: 115 * time.Second,
	}
	watched := Scaling{Waypoint: portalWaypoint, Autoscaler: portalAutoscaler, Every: time.Second}
	alone, loaded := watched, watched
	alone.Autoscaler, alone.Lasts = "", hpaSync+2*time.Second
	before := alone
	before.Lasts = 3 * time.Second
	alone.Replicas = 1
	loaded.Lasts, loaded.Enough, loaded.Hold = hpaReady+10*time.Second, 3, hpaSync+5*time.Second
	s.Drives = []Drive{
		{Name: stage(s.ID, Before), Window: Before, Scaling: &before},
		{Name: stage(s.ID, Applied), Window: Applied, Waypoint: portalWaypoint, Scaling: &loaded, Load: portalLoad(loaded.Lasts)},
		{Name: stage(s.ID, Applied) + "-serving", Window: Applied, Waypoint: portalWaypoint, Load: freshPortals()},
		{Name: stage(s.ID, After), Window: After, Scaling: &alone},
	}
	s.Promises = append(autoscalingPromises(s), record.Promise{
		ID: s.ID + "/serving", Task: s.Task, Title: "has the new replicas serve", Kind: claim.KindServing, Window: Applied,
		Stages: []string{stage(s.ID, Applied) + "-serving"}, Unit: claim.UnitRequest, Beta: defaultBeta,
		Params: claim.Params(claim.ServingParams{AtLeast: 3}),
	})
	return s.requiring("metrics")
}

func autoscalingPromises(s Scenario) []record.Promise {
	of := func(what string) string { return "hpa/" + portalAutoscaler + "/" + what }
	ready, cpu := "waypoint/"+portalWaypoint+"/ready", "waypoint/"+portalWaypoint+"/cpu"
	return []record.Promise{
		series(s, "before", "leaves the waypoint at 1 replica without the autoscaler", Before,
			claim.SeriesCondition{Series: ready, Always: exactly(1)}),
		series(s, "bounds", "is told 2 to 5, starts at 2, and never goes above 5", Applied,
			claim.SeriesCondition{Series: of("min"), Always: exactly(2)}, claim.SeriesCondition{Series: of("max"), Always: exactly(5)},
			claim.SeriesCondition{Series: of("current"), Reach: exactly(2), WithinMs: 5000},
			claim.SeriesCondition{Series: of("desired"), Never: above(5), MaxGapMs: 10_000},
			claim.SeriesCondition{Series: ready, Never: above(5), MaxGapMs: 10_000}),
		series(s, "cpu", "sees more CPU per replica than its target, by the metrics API and by its own word", Applied,
			claim.SeriesCondition{Series: cpu, Reach: above(50)}, claim.SeriesCondition{Series: of("utilization"), Reach: above(50)}),
		series(s, "scaled", "wants 3 replicas within its own time, and they are ready a minute later", Applied,
			claim.SeriesCondition{Series: of("desired"), Reach: atLeast(3), WithinMs: int(hpaReaction.Milliseconds()), MaxGapMs: 10_000},
			claim.SeriesCondition{Series: ready, Reach: atLeast(3), WithinMs: int(hpaReady.Milliseconds()), MaxGapMs: 10_000}),
		series(s, "after", "leaves the waypoint at 1 replica after it is deleted", After,
			claim.SeriesCondition{Series: ready, Always: exactly(1)}),
	}
}

// budget plays the workshop's disruption budget: at least one replica stays.
func budget() Scenario {
	s := Scenario{
		ID: "task9/pdb", Task: "task9", Title: "lets one of two replicas be evicted and refuses the other",
		Base: Enrolled, Waypoints: []string{"travel-portal"}, Apply: []Piece{{File: "workshop/04-waypoint-pdb.yaml"}},
		Replicas: map[string]int32{portalWaypoint: 1}, Expect: 30 * time.Second,
	}
	dry := Scaling{Waypoint: portalWaypoint, Every: 250 * time.Millisecond, Lasts: 2 * time.Second, Evict: EvictDry}
	alone, edge, after := dry, dry, dry
	alone.Budget, edge.Budget = portalBudget, portalBudget
	edge.Replicas, edge.Lasts, edge.Evict = 2, time.Minute, EvictEdge
	edge.Enough, edge.Hold = 2, 2*time.Second
	after.Replicas = 1
	s.Drives = []Drive{
		{Name: stage(s.ID, Before), Window: Before, Scaling: &dry},
		{Name: stage(s.ID, Applied) + "-alone", Window: Applied, Scaling: &alone},
		{Name: stage(s.ID, Applied), Window: Applied, Scaling: &edge},
		{Name: stage(s.ID, After), Window: After, Scaling: &after},
	}
	s.Promises = budgetPromises(s)
	return s
}

func budgetPromises(s Scenario) []record.Promise {
	eviction := func(which string) string { return "eviction/" + portalWaypoint + "/" + which }
	ready, allowed := "waypoint/"+portalWaypoint+"/ready", "pdb/"+portalBudget+"/allowed"
	onlyOne := series(s, "alone", "refuses to evict the only replica", Applied,
		claim.SeriesCondition{Series: allowed, Always: exactly(0)}, claim.SeriesCondition{Series: eviction("dry"), Always: exactly(429)})
	onlyOne.Stages = []string{stage(s.ID, Applied) + "-alone"}
	return []record.Promise{
		series(s, "before", "forbids no eviction without the budget", Before,
			claim.SeriesCondition{Series: eviction("dry"), Always: exactly(201)}),
		onlyOne,
		series(s, "first", "lets one of two replicas be evicted", Applied,
			claim.SeriesCondition{Series: eviction("first"), Always: exactly(201)}),
		series(s, "edge", "answers 429 to the eviction of the other while that one is missing", Applied,
			claim.SeriesCondition{Series: eviction("edge"), Always: exactly(429), Occurs: &claim.Occurs{Value: 429, AtLeast: 1}}),
		series(s, "allowed", "allows one disruption, none while one is under way, and one again", Applied,
			claim.SeriesCondition{Series: allowed, Reach: exactly(1), WithinMs: 15_000, Last: exactly(1), Never: above(1)},
			claim.SeriesCondition{Series: allowed, Reach: exactly(0)}),
		series(s, "available", "keeps at least one replica ready at every moment", Applied,
			claim.SeriesCondition{Series: ready, Always: atLeast(1), Last: exactly(2), MaxGapMs: 3000}),
		series(s, "after", "forbids no eviction after it is deleted", After,
			claim.SeriesCondition{Series: eviction("dry"), Always: exactly(201)}),
	}
}

// portalTargets are the three portals' states: cheap to answer, so that what burns
// CPU is the waypoint.
func portalTargets() []record.Target {
	var targets []record.Target
	for _, name := range []string{"voyages", "viaggi", "travels"} {
		targets = append(targets, get(name, "http://"+name+".travel-portal.svc.cluster.local:8000/status"))
	}
	return targets
}

// portalRate is enough for several replicas: a waypoint takes about a quarter of
// a core for a thousand requests per second, by Istio's own figures, and the
// target is a twentieth of a core for each replica.
const portalRate = 600

// portalLoad runs until the stage has seen enough. Connections are given up now
// and then, else they would stay with the replicas that were there first.
func portalLoad(lasts time.Duration) record.Load {
	load := keepalive(portalRate, int(portalRate*lasts.Seconds()), portalTargets()...)
	load.Reconnect, load.Pacing = 100, "skip"
	return load
}

// freshPortals has a connection for each request: what a replica gets then, it
// gets because it is there.
func freshPortals() record.Load {
	load := keepalive(100, 300, portalTargets()...)
	load.Connections = "fresh"
	return load
}

// series is a promise about samples of a window's stage.
func series(s Scenario, name, title, window string, conditions ...claim.SeriesCondition) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindSeries, Window: window,
		Stages: []string{stage(s.ID, window)}, Unit: claim.UnitSample,
		Params: claim.Params(claim.SeriesParams{Conditions: conditions}),
	}
}

func exactly(value float64) *claim.Range { return &claim.Range{AtLeast: &value, AtMost: &value} }
func atLeast(value float64) *claim.Range { return &claim.Range{AtLeast: &value} }
func above(value float64) *claim.Range   { return &claim.Range{Above: &value} }

package catalogue

import (
	"fmt"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Long marks what takes so long that it is only played when asked for.
const Long = "long"

// Stages of a plateau and the way back.
const (
	elasticUp   = "up"
	elasticDown = "down"
)

// Elasticity is task 8 in depth: up under load, a plateau of twice the
// autoscaler's stabilisation window, and back to the minimum, with the disruption
// budget of task 9 beside it: with a window of one minute, in eight minutes, and
// with the workshop's own of five, in twenty-five. The way up alone takes four.
func Elasticity() []Scenario {
	return []Scenario{
		scaleOut(),
		elastic("resilience/autoscaling", "resilience/portal-hpa-brief.yaml", time.Minute).labelled(Long),
		elastic("resilience/autoscaling-long", "workshop/03-waypoint-hpa.yaml", 5*time.Minute).labelled(Long),
	}
}

// downSlack is how much later than its window an autoscaler may begin to scale
// down (Kubernetes' own end-to-end tests); stale is how much earlier, because its
// last look at the load lies up to one period before the load's end.
const (
	downSlack = 150 * time.Second
	stale     = hpaSync
)

func elastic(id, file string, window time.Duration) Scenario {
	s := Scenario{
		ID: id, Task: "resilience", Title: fmt.Sprintf("scales up, stays for twice %v, and comes back", window), Labels: []string{"chaos"},
		Base: Enrolled, Waypoints: []string{"travel-portal"}, Setup: []Piece{{File: "workshop/04-waypoint-pdb.yaml"}},
		Apply: []Piece{{File: file}}, Replicas: map[string]int32{portalWaypoint: 1}, Expect: hpaReaction + 3*window + 2*time.Minute,
	}
	watched := Scaling{Waypoint: portalWaypoint, Autoscaler: portalAutoscaler, Budget: portalBudget, Every: time.Second}
	up, down := watched, watched
	up.Lasts = hpaReaction + 2*window
	down.Lasts, down.Few, down.Hold = window+downSlack+30*time.Second, 2, 2*hpaSync
	s.Drives = []Drive{
		{Name: stage(id, elasticUp), Window: Applied, Waypoint: portalWaypoint, Scaling: &up, Load: portalLoad(up.Lasts)},
		{Name: stage(id, elasticDown), Window: Applied, Waypoint: portalWaypoint, Scaling: &down, Load: trickle(down.Lasts)},
	}
	s.Promises = append(s.rises(), s.returns(window)...)
	return s.requiring("metrics")
}

// outLasts is how long the way up is watched: the autoscaler's own time until the
// pods are ready, and what is left for it to scale again and for them to serve.
const outLasts = hpaReady + 40*time.Second

// scaleOut is the way up of the workshop's autoscaler, without the plateau: what is
// promised of it but for how it ends.
func scaleOut() Scenario {
	s := elastic("resilience/scale-out", "workshop/03-waypoint-hpa.yaml", 0)
	s.Title, s.Expect = "scales out under load and loses nothing", outLasts+time.Minute
	s.Drives = s.Drives[:1]
	s.Drives[0].Scaling.Lasts, s.Drives[0].Load = outLasts, portalLoad(outLasts)
	s.Promises = slices.DeleteFunc(s.rises(), func(p record.Promise) bool { return p.ID == s.ID+"/"+elasticUp+"/settled" })
	return s.requiring("metrics")
}

// trickle is far below what keeps a replica. Each request has a connection of its
// own: they show who serves new ones, and what scaling down costs.
func trickle(lasts time.Duration) record.Load {
	const rate = 25
	load := keepalive(rate, int(rate*lasts.Seconds()), portalTargets()...)
	load.Connections, load.Pacing = "fresh", "skip"
	return load
}

// rises are the promises about the load's stage and the one after it.
func (s Scenario) rises() []record.Promise {
	of := func(what string) string { return "hpa/" + portalAutoscaler + "/" + what }
	ready := "waypoint/" + portalWaypoint + "/ready"
	return []record.Promise{
		watchedOn(s, elasticUp, "able", "can scale and knows its metrics at every moment",
			claim.SeriesCondition{Series: of("able"), Always: exactly(1), MaxGapMs: 10_000}, claim.SeriesCondition{Series: of("active"), Always: exactly(1), MaxGapMs: 10_000}),
		watchedOn(s, elasticUp, "scaled", "wants 3 replicas within its own time, and they are ready a minute later",
			claim.SeriesCondition{Series: of("desired"), Reach: atLeast(3), WithinMs: int(hpaReaction.Milliseconds()), MaxGapMs: 10_000},
			claim.SeriesCondition{Series: ready, Reach: atLeast(3), WithinMs: int(hpaReady.Milliseconds()), MaxGapMs: 10_000}),
		watchedOn(s, elasticUp, "bounds", "never wants or has fewer than 2 or more than 5 replicas",
			claim.SeriesCondition{Series: of("desired"), Always: between(2, 5), MaxGapMs: 10_000}, claim.SeriesCondition{Series: ready, Never: above(5), MaxGapMs: 10_000}),
		watchedOn(s, elasticUp, "calm", "does not flap: on the way up and the plateau it changes its direction at most once",
			claim.SeriesCondition{Series: of("turns"), Never: above(1), MaxGapMs: 10_000}),
		watchedOn(s, elasticUp, "settled", "ends with its CPU at the target, or at its maximum",
			claim.SeriesCondition{Series: of("settled"), Last: exactly(1)}),
		watchedOn(s, elasticUp, "budget", "keeps a replica ready at every moment, as the disruption budget beside it asks",
			claim.SeriesCondition{Series: ready, Always: atLeast(1), MaxGapMs: 5000},
			claim.SeriesCondition{Series: "pdb/" + portalBudget + "/allowed", Never: above(4), Last: atLeast(1)}),
		s.unharmed(elasticUp, 1), serves(s, elasticUp, "kept"),
	}
}

// returns are the promises about the way back.
func (s Scenario) returns(window time.Duration) []record.Promise {
	of := func(what string) string { return "hpa/" + portalAutoscaler + "/" + what }
	ready := "waypoint/" + portalWaypoint + "/ready"
	earliest, latest := (window - stale).Seconds(), (window + downSlack).Seconds()
	return []record.Promise{
		watchedOn(s, elasticDown, "patient", "begins to scale down when its window is over, and soon after",
			claim.SeriesCondition{Series: of("fall"), Always: between(earliest, latest)}),
		watchedOn(s, elasticDown, "minimum", "comes back to 2 replicas and never below",
			claim.SeriesCondition{Series: of("desired"), Always: between(2, 5), Last: exactly(2), MaxGapMs: 10_000},
			claim.SeriesCondition{Series: ready, Always: atLeast(1), Last: exactly(2), MaxGapMs: 10_000}),
		watchedOn(s, elasticDown, "straight", "comes back without turning up again",
			claim.SeriesCondition{Series: of("turns"), Always: exactly(0), MaxGapMs: 10_000}),
		s.unharmed(elasticDown, 8), serves(s, elasticDown, "new"), prompt(s),
	}
}

// unharmed promises a stage without an error, seen with a resolution per mille.
func (s Scenario) unharmed(of string, delta int) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + of + "/unharmed", Task: s.Task, Title: "loses no request while it scales (" + of + ")", Kind: claim.KindBound, Window: Applied,
		Stages: []string{stage(s.ID, of)}, Unit: claim.UnitRequest, Beta: defaultBeta, Delta: delta, Params: claim.Params(claim.BoundParams{}),
	}
}

// serves promises that at least three replicas carry requests.
func serves(s Scenario, of, kind string) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + of + "/serving", Task: s.Task, Title: "has the new replicas serve " + kind + " connections", Kind: claim.KindServing, Window: Applied,
		Stages: []string{stage(s.ID, of)}, Unit: claim.UnitRequest, Beta: defaultBeta, Params: claim.Params(claim.ServingParams{AtLeast: 3}),
	}
}

// promptMs is what 19 of 20 requests on new connections may take once the load is
// gone: far more than a request takes, far less than one that queues.
const promptMs = 500

func prompt(s Scenario) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + elasticDown + "/prompt", Task: s.Task, Title: "answers within half a second while it scales down", Kind: claim.KindLatency, Window: Applied,
		Stages: []string{stage(s.ID, elasticDown)}, Unit: claim.UnitRequest, Alpha: defaultAlpha, Beta: defaultBeta,
		Params: claim.Params(claim.LatencyParams{Measure: claim.FromSent, Bounds: []claim.QuantileBound{{Quantile: 950, AtMostMs: promptMs}}}),
	}
}

// watchedOn is a promise about samples of a stage.
func watchedOn(s Scenario, of, name, title string, conditions ...claim.SeriesCondition) record.Promise {
	p := series(s, of+"/"+name, title, Applied, conditions...)
	p.Stages = []string{stage(s.ID, of)}
	return p
}

func between(least, most float64) *claim.Range { return &claim.Range{AtLeast: &least, AtMost: &most} }

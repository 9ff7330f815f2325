package catalogue

import (
	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Series of samples that every experiment takes.
const (
	// SeriesRestored counts what differs from the state before; its text says what.
	SeriesRestored = "restored/differences"
	// SeriesReady counts ready pods of the target waypoint.
	SeriesReady = "waypoint/ready"
	// SeriesPlain and SeriesTunnel count packets that arrived at backends while the
	// fault lasted: from other pods in plain text, and by the mesh's tunnel.
	SeriesPlain  = "wire/plaintext"
	SeriesTunnel = "wire/tunnel"
)

// SeriesAllowed is how many disruptions a budget allows, SeriesMisjudged how far
// that is from what its other figures say, at every event of a watch.
func SeriesAllowed(budget string) string   { return "pdb/" + budget + "/allowed" }
func SeriesMisjudged(budget string) string { return "pdb/" + budget + "/misjudged" }

// SeriesDesired is how many replicas an autoscaler wants.
func SeriesDesired(autoscaler string) string { return "hpa/" + autoscaler + "/desired" }

// WitnessAbility is what counting packets inside pods takes, in one experiment: what
// one could not do says nothing of the next.
func WitnessAbility(experiment string) string { return "packet counters in pods under " + experiment }

// agencyBudget is the disruption budget of resilience/agency-pdb.yaml.
const agencyBudget = "travel-agency/waypoint-travel-agency-pdb"

// sampled is a promise about samples of an experiment.
func (e Experiment) sampled(name, title string, conditions ...claim.SeriesCondition) record.Promise {
	return record.Promise{
		ID: e.ID + "/" + name, Task: e.Task, Title: e.Title + ": " + title, Kind: claim.KindSeries,
		Stages: []string{stage(e.ID, ArmGet)}, Unit: claim.UnitSample, Requires: e.requires(""),
		Params: claim.Params(claim.SeriesParams{Conditions: conditions}),
	}
}

// restored promises that the harness leaves the cluster as it found it, whatever
// became of the fault.
func (e Experiment) restored() record.Promise {
	none := 0.0
	p := e.sampled("restored", "everything is as it was before", claim.SeriesCondition{Series: SeriesRestored, Last: &claim.Range{AtMost: &none}})
	p.Window, p.Requires = chaos.WindowAfter, e.requires(chaos.WindowBaseline)
	return p
}

// private promises that backends are reached by the mesh's tunnel and by nothing
// else while the fault lasts. That the tunnel's packets are seen shows that the
// counters are not blind.
func (e Experiment) private() record.Promise {
	p := e.sampled("private", "nothing reaches a backend in plain text",
		claim.SeriesCondition{Series: SeriesPlain, Always: exactly(0)},
		claim.SeriesCondition{Series: SeriesTunnel, Always: atLeast(1)})
	p.Window, p.AboutNodeProxy = chaos.WindowFault, true
	p.Requires = append(p.Requires, WitnessAbility(e.ID))
	return p
}

// rightWay promises of every answer, in all windows, that it is cars' and came by
// a replica of the waypoint.
func (e Experiment) rightWay() []record.Promise {
	var promises []record.Promise
	for _, arm := range []string{ArmGet, ArmFresh} {
		p := e.promise(arm, "way", "every answer is from cars, by a replica of the waypoint", "")
		p.Kind, p.Delta = claim.KindEvery, 10
		p.Params = claim.Params(claim.EveryParams{
			Want: claim.Conditions{Service: "cars", Via: claim.ViaWaypoint, AllowReplays: true}, Answered: true,
		})
		promises = append(promises, p)
	}
	return promises
}

// splitDelta is how far, per mille, the share of a version may be from what the
// route declares, over all windows of an experiment. It leaves room for the few
// requests that a fault costs.
const splitDelta = 80

// split puts the workshop's route there and promises that its shares stay right
// through all windows.
func (e Experiment) split() Experiment {
	return e.splitIn("", "v1 gets 70 % as the route declares, in all windows together")
}

// splitMeanwhile does the same for the fault's window alone, where the route says
// something else in another.
func (e Experiment) splitMeanwhile() Experiment {
	return e.splitIn(chaos.WindowFault, "v1 gets 70 % as the route declares while the fault lasts")
}

func (e Experiment) splitIn(window, title string) Experiment {
	e = e.with(Piece{File: splitRoute})
	p := e.promise(ArmGet, "split", title, window)
	p.Kind, p.Alpha, p.Delta = claim.KindShare, defaultAlpha, splitDelta
	p.Params = claim.Params(claim.ShareParams{Of: claim.Predicate{Version: "v1"}, PerMille: 700, Label: "answered by v1", Window: window})
	e.Promises = append(e.Promises, p)
	return e
}

const splitRoute = "workshop/07-cars-traffic-split.yaml"

// served promises that so many pods of the waypoint are ready at every instant.
func (e Experiment) served(least float64) Experiment {
	e.Promises = append(e.Promises, e.sampled("ready", "a waypoint is ready at every instant",
		claim.SeriesCondition{Series: SeriesReady, Always: atLeast(least), MaxGapMs: 5000}))
	return e
}

// budgeted puts the disruption budget there and promises that it allows what its
// own figures say at every event, goes to its edge and comes back to one.
func (e Experiment) budgeted() Experiment {
	e = e.with(Piece{File: "resilience/agency-pdb.yaml"})
	e.Promises = append(e.Promises, e.sampled("budget", "the budget is right at every event",
		claim.SeriesCondition{Series: SeriesMisjudged(agencyBudget), Always: exactly(0)},
		claim.SeriesCondition{Series: SeriesAllowed(agencyBudget), Reach: exactly(0), Never: above(1), Last: exactly(1)}))
	return e
}

// agencyAutoscaler is that of resilience/agency-hpa.yaml.
const agencyAutoscaler = "travel-agency/waypoint-travel-agency-hpa"

// autoscaled puts an autoscaler with a minimum of two there, and promises that it
// wants two at every event, whatever the budget lets go.
func (e Experiment) autoscaled() Experiment {
	e = e.with(Piece{File: "resilience/agency-hpa.yaml"})
	p := e.sampled("minimum", "the autoscaler keeps to its minimum beside the budget",
		claim.SeriesCondition{Series: SeriesDesired(agencyAutoscaler), Always: exactly(sharedReplicas)},
		claim.SeriesCondition{Series: SeriesReady, Last: exactly(sharedReplicas)})
	p.Requires = append(p.Requires, "metrics")
	e.Promises = append(e.Promises, p)
	return e
}

// atTheEdge promises that the Eviction API grants the first pod and refuses the
// next one that is asked for at once.
func (e Experiment) atTheEdge() Experiment {
	e.Promises = append(e.Promises, e.sampled("edge", "the first eviction is granted and the next refused with 429",
		claim.SeriesCondition{Series: chaos.SeriesFirst, Always: exactly(201)},
		claim.SeriesCondition{Series: chaos.SeriesEdge, Always: exactly(429)}))
	return e
}

// waiting promises that a drain was refused, and then came to its end.
func (e Experiment) waiting(pods float64) Experiment {
	e.Promises = append(e.Promises, e.sampled("drained", "the drain waits for the budget and then goes on",
		claim.SeriesCondition{Series: chaos.SeriesRefused, Always: atLeast(1)},
		claim.SeriesCondition{Series: chaos.SeriesGranted, Always: atLeast(pods)}))
	return e
}

// blocked promises that a drain is refused for good, and that the budget which
// does it is found.
func (e Experiment) blocked() Experiment {
	e.Promises = append(e.Promises, e.sampled("blocked", "the drain is refused each time and the budget that blocks it is named",
		claim.SeriesCondition{Series: chaos.SeriesGranted, Always: exactly(0)},
		claim.SeriesCondition{Series: chaos.SeriesRefused, Always: atLeast(1)},
		claim.SeriesCondition{Series: chaos.SeriesBlocker, Always: exactly(1), Text: agencyBudget}))
	return e
}

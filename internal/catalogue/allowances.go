package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/claim"
)

// What a fault may cost, in requests of a million in its window. Each number is
// generous, and finite: beyond it more is broken than the fault breaks.
const (
	// abruptPPM is where a replica dies without a word: what was in flight and what
	// was kept open to it, which is a share of a short window. streamsPPM is the same
	// of streams, of which half are under way on that replica.
	abruptPPM  = 60_000
	streamsPPM = 600_000
	// heldPPM is on kept connections to a replica that is there and does not answer:
	// each of an arm's connections to it loses what is under way, and may meet it
	// again when it is made anew. 10 to 24 requests of 1500 were seen.
	heldPPM = 100_000
	// fewPPM is what may fail of a second's requests on kept connections that are
	// being made anew, some of them to the broken replica again.
	fewPPM = 200_000
	// shareOfV2 is what the route gives to the version that is broken, 30 %, and as
	// much again as chance adds in a short window. mostPPM is the same of a single
	// second.
	shareOfV2 = 400_000
	mostPPM   = 700_000
)

// halfOf is where one of two replicas takes its half of the requests and answers
// none, for so many seconds of a window of so many, and a fifth more than that for
// chance and for what a client skips.
func halfOf(broken, of int) int { return 1_000_000 / 2 * broken / of * 6 / 5 }

// unfelt promises of a fault that is none for requests that so many of a thousand of
// them take no longer while it lasts.
func (e Experiment) unfelt(perMille int) Experiment {
	return e.timed("latency", "requests take no longer meanwhile", claim.QuantileBound{Quantile: perMille, AtMostMs: promptMs})
}

// slower promises that some requests are late by what a fault adds to them there
// and back: else it was not felt, whatever its evidence says.
func (e Experiment) slower(ms int) Experiment {
	return e.timed("felt", "some requests take longer by what the fault adds", claim.QuantileBound{Quantile: 950, AtLeastMs: float64(2 * ms)})
}

// held promises that some requests are late by what one version takes, which gets a
// good fifth of them at the least.
func (e Experiment) held(ms int) Experiment {
	return e.timed("felt", "some requests take as long as the slow version", claim.QuantileBound{Quantile: 900, AtLeastMs: float64(ms)})
}

// timed is a promise about how long requests take in the fault's window.
func (e Experiment) timed(name, title string, bound claim.QuantileBound) Experiment {
	p := e.promise(ArmGet, name, title, chaos.WindowFault)
	p.Kind = claim.KindLatency
	p.Params = claim.Params(claim.LatencyParams{Measure: claim.FromSent, Window: chaos.WindowFault, Bounds: []claim.QuantileBound{bound}})
	e.Promises = append(e.Promises, p)
	return e
}

// passedOn promises that the errors of a version come through as they are: so many
// of a thousand requests in the fault's window are answered 503 by v2 itself.
func (e Experiment) passedOn() Experiment {
	return e.shared("passed-on", "v2's errors come through as they are, and no other's", chaos.WindowFault,
		claim.ShareParams{Of: claim.Predicate{Status: 503, Version: "v2"}, PerMille: 300, Label: "answered 503 by v2"})
}

// arrivalHold is how long the load meets what waited for istiod.
const arrivalHold = 12 * time.Second

// arrives promises that a change which nobody could be told of while istiod was gone is
// there once istiod is: the route's weights are turned until they are given back.
func (e Experiment) arrives() Experiment {
	e.Phases.Arrival = arrivalHold
	e.Expect += arrivalHold
	return e.shared("arrival", "the change that waited arrives when istiod is back", chaos.WindowArrival,
		claim.ShareParams{Of: claim.Predicate{Version: "v1"}, PerMille: 300, Label: "answered by v1"})
}

// windowDelta is how far, per mille, a share may be from its declaration in one window:
// as close as some hundred requests can tell.
const windowDelta = 150

// shared is a promise about a share of the requests of one window.
func (e Experiment) shared(name, title, window string, params claim.ShareParams) Experiment {
	p := e.promise(ArmGet, name, title, window)
	params.Window = window
	p.Kind, p.Alpha, p.Delta, p.Params = claim.KindShare, defaultAlpha, windowDelta, claim.Params(params)
	e.Promises = append(e.Promises, p)
	return e
}

package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Addresses of the services that have faults and retries: by VirtualService, so
// on Services that never get an HTTPRoute.
const (
	flightsURL    = "http://flights.travel-agency.svc.cluster.local:8000/flights/Madrid"
	hotelsURL     = "http://hotels.travel-agency.svc.cluster.local:8000/hotels/Madrid"
	insurancesURL = "http://insurances.travel-agency.svc.cluster.local:8000/insurances/Madrid"
)

// The fault that the manifests declare: 400 ms for half of the requests, 418 for
// a tenth. The demo itself never answers 418.
const (
	delayed     = 200 // ms; from here on a request counts as delayed
	wholeDelay  = 395 // ms; a delayed request takes at least that
	halfDelayed = 420 // ms; half of the delayed requests take no longer
	mostDelayed = 440 // ms; all but one in a hundred take no longer, on a machine that is calm
	undisturbed = 20  // ms; p99 of what is not delayed, on such a machine
	abortStatus = 418
)

// faults is fault injection.
func faults() []Scenario { return []Scenario{faultDelay(), faultAbort(), faultBoth()} }

func faultDelay() Scenario {
	s := fault("faults/delay", "delays half of the requests by 400 ms and no others", "fault-delay", keepalive(240, 11_000, get("flights", flightsURL)))
	s.Promises = append(s.Promises,
		shareOf(s, "share", "delays half of the requests", 50, claim.ShareParams{PerMille: 500, Of: claim.Predicate{SlowerMs: delayed, Measure: claim.FromSent}, Label: "delayed"}),
		quantiles(s, "size", "delays by 400 ms", Applied, claim.LatencyParams{Where: &claim.Predicate{SlowerMs: delayed, Measure: claim.FromSent}, Bounds: []claim.QuantileBound{
			{Quantile: 10, AtLeastMs: wholeDelay}, {Quantile: 500, AtMostMs: halfDelayed}, {Quantile: 990, AtMostMs: mostDelayed},
		}, CalmMs: undisturbed, Looks: 2}),
		quantiles(s, "others", "leaves requests that it does not delay in full alone", Applied, claim.LatencyParams{
			Where: &claim.Predicate{FasterMs: wholeDelay, Measure: claim.FromSent}, Bounds: []claim.QuantileBound{{Quantile: 990, AtMostMs: delayed}},
		}),
		every(s, "answered", "answers delayed requests as ever", Applied, claim.Conditions{Status: 200}))
	return s
}

func faultAbort() Scenario {
	s := fault("faults/abort", "answers a tenth of the requests with 418", "fault-abort", keepalive(500, 16300, get("hotels", hotelsURL)))
	s.Expect = 15 * time.Second
	s.Promises = append(s.Promises,
		shareOf(s, "share", "answers a tenth of the requests with 418", 20, claim.ShareParams{PerMille: 100, Of: claim.Predicate{Status: abortStatus}, Label: "status 418"}),
		shareOf(s, "others", "leaves nine tenths of the requests to the service", 20, claim.ShareParams{PerMille: 900, Of: claim.Predicate{Status: 200, Version: "v1"}, Label: "answered by the service"}))
	return s
}

// faultBoth asks for both at once, and that neither knows of the other: a tenth
// of the delayed half is aborted too.
func faultBoth() Scenario {
	s := fault("faults/both", "delays and aborts requests independently", "fault-both", keepalive(300, 4000, get("flights", flightsURL)))
	s.Expect = 10 * time.Second
	s.Promises = append(s.Promises,
		shareOf(s, "delayed", "delays half of the requests", 100, claim.ShareParams{PerMille: 500, Of: claim.Predicate{SlowerMs: delayed, Measure: claim.FromSent}, Label: "delayed"}),
		shareOf(s, "aborted", "answers a tenth of the requests with 418", 50, claim.ShareParams{PerMille: 100, Of: claim.Predicate{Status: abortStatus}, Label: "status 418"}),
		shareOf(s, "together", "aborts a tenth of the delayed requests too", 40, claim.ShareParams{PerMille: 50, Of: claim.Predicate{Status: abortStatus, SlowerMs: delayed, Measure: claim.FromSent}, Label: "delayed and 418"}))
	return s
}

// fault is a scenario around one virtual service with faults. Before and after
// it every request is answered, and soon.
func fault(id, title, file string, load record.Load) Scenario {
	s := Scenario{
		ID: id, Task: "faults", Title: title, Base: Enrolled, Waypoints: []string{"travel-agency"}, Expect: 25 * time.Second,
		Apply: []Piece{{File: "capabilities/" + file + ".yaml"}},
	}
	around := load
	around.Rate, around.Hits = 300, 800
	s.Drives = []Drive{
		{Name: stage(id, Before), Window: Before, Waypoint: agencyWaypoint, Load: around},
		{Name: stage(id, Applied), Window: Applied, Waypoint: agencyWaypoint, Load: load},
		{Name: stage(id, After), Window: After, Waypoint: agencyWaypoint, Load: around},
	}
	for _, window := range []string{Before, After} {
		s.Promises = append(s.Promises,
			every(s, window, window+" the fault every request is answered", window, claim.Conditions{Status: 200}),
			quantiles(s, window+"-latency", window+" the fault no request is held up", window, claim.LatencyParams{
				Bounds: []claim.QuantileBound{{Quantile: 950, AtMostMs: delayed}},
			}))
	}
	return s
}

// shareOf is a promise about a share of the applied window, per mille.
func shareOf(s Scenario, name, title string, delta int, params claim.ShareParams) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindShare, Window: Applied,
		Stages: []string{stage(s.ID, Applied)}, Unit: claim.UnitRequest, Alpha: defaultAlpha, Beta: defaultBeta, Delta: delta,
		Params: claim.Params(params),
	}
}

// quantiles is a promise about how long requests of a window take from being
// sent: what a fault or a timeout adds counts from there.
func quantiles(s Scenario, name, title, window string, params claim.LatencyParams) record.Promise {
	params.Measure = claim.FromSent
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindLatency, Window: window,
		Stages: []string{stage(s.ID, window)}, Unit: claim.UnitRequest, Beta: defaultBeta,
		Params: claim.Params(params),
	}
}

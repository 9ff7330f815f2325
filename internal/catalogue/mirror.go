package catalogue

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// mirrors is task 7: traffic mirroring.
func mirrors() []Scenario {
	return []Scenario{
		mirrorAll(),
		mirrorShare(0, 10, 700),
		mirrorShare(10, 20, 16300),
		mirrorShare(50, 50, 6700),
		mirrorSlow(),
		mirrorFailing(),
		mirrorOriginal(),
	}
}

const (
	// mirrorQuiet is how long ledgers and logs are left alone before a copy that
	// is in none of them is called lost.
	mirrorQuiet = 1500 * time.Millisecond
	mirrorRate  = 700
)

// carsApp is whose pods' ledgers and logs are read.
const carsApp = "travel-agency/cars"

func carsOf(version string) claim.Selector { return claim.Selector{Service: "cars", Version: version} }

// mirrorScenario is a scenario around a route that copies what cars-v1 answers.
func mirrorScenario(id, title, file string) Scenario {
	return Scenario{
		ID: id, Task: "task7", Title: title, Base: Versions, Apply: []Piece{{File: file}},
		Waypoints: []string{"travel-agency"}, Expect: 15 * time.Second,
	}
}

// add gives a scenario one more stage; what of the stage's window it says.
func (s *Scenario) add(window string, load record.Load, collect ...string) *Drive {
	s.Drives = append(s.Drives, Drive{
		Name: stage(s.ID, window), Window: window, Load: load, Collect: collect, Quiet: 300 * time.Millisecond, Waypoint: agencyWaypoint,
	})
	return &s.Drives[len(s.Drives)-1]
}

// mirrored is a promise about the copies of a scenario's applied stage.
func mirrored(s Scenario, name, title string, delta int, params claim.MirrorParams) record.Promise {
	if params.PerMille > 0 {
		params.QuietMs = int(mirrorQuiet / time.Millisecond)
	}
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindMirror, Window: Applied,
		Stages: []string{stage(s.ID, Applied)}, Unit: claim.UnitRequest, Alpha: defaultAlpha, Beta: defaultBeta, Delta: delta,
		Params: claim.Params(params),
	}
}

// once is the promise that each request of a window arrives exactly once at
// cars, whichever version it is: nothing is copied.
func once(s Scenario, window, title string) record.Promise {
	return every(s, window, title, window, claim.Conditions{
		Status: 404, Service: "cars", Backend: &claim.Backend{Of: claim.Selector{Service: "cars"}},
	})
}

// tokened asks for a city whose name is the request's token: cars does not know
// it, says 404, and logs the name.
func tokened() record.Target { return get("cars-token", carsURL+"/cars/"+record.TokenPlaceholder) }

// mirrorAll is the workshop's task: a copy of everything, counted by request
// ids in the ledgers and by tokens in the logs.
func mirrorAll() Scenario {
	s := mirrorScenario("task7/mirror-100", "copies every request to cars-v2 exactly once", "corrected/010-traffic-mirroring.yaml")
	s.Expect = 26 * time.Second
	s.add(Before, few(tokened()), carsApp)
	applied := s.add(Applied, keepalive(mirrorRate, 7000, tokened()), carsApp)
	applied.Quiet, applied.Logs = mirrorQuiet+500*time.Millisecond, []string{carsApp}
	s.add(After, few(tokened()), carsApp)
	s.Promises = []record.Promise{
		once(s, Before, "without the route nothing is copied"),
		mirrored(s, "exactly-once", s.Title, 1, claim.MirrorParams{
			Primary: carsOf("v1"), Mirror: carsOf("v2"), PerMille: 1000, Oracle: claim.OracleBoth,
		}),
		mirrored(s, "by-log-alone", "copies every request to cars-v2 exactly once, by its log alone", 1, claim.MirrorParams{
			Primary: carsOf("v1"), Mirror: carsOf("v2"), PerMille: 1000, Oracle: claim.OracleLog, NoPrimary: true,
		}),
		every(s, "answers", "answers come from cars-v1 while everything is copied", Applied, claim.Conditions{
			Status: 404, Service: "cars", Version: "v1", Server: "istio-envoy",
		}),
		once(s, After, "after the route is deleted nothing is copied"),
	}
	return s
}

// mirrorShare copies a share. Copies of one request are never more than one,
// whatever the share. Copies are counted after the load, so a test of them cannot
// end it early: it takes all of its hits. Delta is in points per mille.
func mirrorShare(percent, delta, hits int) Scenario {
	title := fmt.Sprintf("copies %d %% of the requests to cars-v2, none of them twice", percent)
	s := mirrorScenario(fmt.Sprintf("task7/mirror-%d", percent), title, fmt.Sprintf("capabilities/mirror-%d.yaml", percent))
	s.add(Applied, keepalive(mirrorRate, hits, get("cars", carsURL+"/cars/Madrid")), carsApp).Quiet = mirrorQuiet + 500*time.Millisecond
	s.Promises = []record.Promise{mirrored(s, "share", title, delta, claim.MirrorParams{
		Primary: carsOf("v1"), Mirror: carsOf("v2"), PerMille: 10 * percent,
	})}
	return s
}

// mirrorSlow copies everything to a service that takes a second. Two requests
// that are copied take turns with one that goes the same way to a service that
// knows no mirror: by it is told whether the machine was calm.
func mirrorSlow() Scenario {
	s := mirrorScenario("task7/mirror-slow", "no client waits for a mirror that takes a second", "capabilities/mirror-slow.yaml")
	s.Expect = 45 * time.Second
	const first, second, control = "cars", "cars again", "flights"
	load := keepalive(slowRate, slowHits, get(first, carsURL+"/cars/Madrid"), get(second, carsURL+"/cars/Madrid"), get(control, flightsURL))
	s.add(Before, load)
	s.add(Applied, load, carsApp, "travel-agency/cars-slow").Quiet = mirrorQuiet + 500*time.Millisecond
	copied := []string{first, second}
	s.Promises = []record.Promise{
		{
			ID: s.ID + "/latency", Task: s.Task, Title: s.Title, Kind: claim.KindShift, Window: Applied,
			Stages: []string{stage(s.ID, Before), stage(s.ID, Applied)}, Unit: claim.UnitRequest, Alpha: defaultAlpha, Beta: defaultBeta,
			Params: claim.Params(claim.ShiftParams{
				Quantiles: []int{500, 990}, BelowMs: 5, Measure: claim.FromSent, Targets: copied,
				Calm: &claim.Calm{Controls: []string{control}, WithinMs: calmWithin, Around: calmAround},
			}),
		},
		mirrored(s, "copies", "the slow mirror gets a copy of every request", 10, claim.MirrorParams{
			Primary: carsOf("v1"), Mirror: claim.Selector{Service: "cars-slow"}, PerMille: 1000, Targets: copied,
		}),
	}
	return s
}

// The load under which latencies are compared: low, so that what is measured is the
// mesh and not a queue. slowHits has enough requests also if four of five are left
// out. Nine of ten requests of a calm machine take less than calmWithin; calmAround
// controls on each side are 70 ms, several of them by each thread of the waypoint.
const (
	slowRate   = 260
	slowHits   = 20_000
	calmWithin = 5 // ms
	calmAround = 6
)

// mirrorFailing copies everything to a service that answers nothing but 503.
func mirrorFailing() Scenario {
	s := mirrorScenario("task7/mirror-failing", "no client sees that a mirror fails", "capabilities/mirror-failing.yaml")
	s.Expect = 13 * time.Second
	s.add(Applied, keepalive(mirrorRate, 3000, get("cars", carsURL+"/cars/Madrid")), carsApp, "travel-agency/cars-failing").Quiet = mirrorQuiet + 500*time.Millisecond
	unseen := every(s, "answers", s.Title, Applied, claim.Conditions{Status: 200, Service: "cars", Version: "v1"})
	unseen.Beta, unseen.Delta = 0.05, 1 // at most one error in a thousand, with 95 % confidence: 2995 clean requests
	s.Promises = []record.Promise{
		unseen,
		mirrored(s, "copies", "the failing mirror gets a copy of every request", 10, claim.MirrorParams{
			Primary: carsOf("v1"), Mirror: claim.Selector{Service: "cars-failing"}, PerMille: 1000,
		}),
	}
	return s
}

// mirrorOriginal applies the workshop's own file as a lenient client does. Its
// field percentage is dropped, so everything is copied; and its primary is the
// Service cars, so that the copies are on top of an arrival at either version.
func mirrorOriginal() Scenario {
	s := mirrorScenario("task7/mirror-original", "copies everything where the workshop's own file is taken with its unknown field dropped", "workshop/010-traffic-mirroring.yaml")
	s.Apply[0].Lenient = true
	s.add(Applied, few(get("cars", carsURL+"/cars/Madrid")), carsApp).Quiet = mirrorQuiet
	s.Promises = []record.Promise{every(s, "twice", s.Title, Applied, claim.Conditions{
		Status: 200, Service: "cars", Backend: &claim.Backend{Of: claim.Selector{Service: "cars"}, Arrivals: new(2)},
	})}
	return s
}

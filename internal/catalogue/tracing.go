package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

const tracingFile = "corrected/02_2-enable-tracing.yaml"

// exportQuiet is how long spans are given to reach the sink after the load, before
// it is read until nothing is added: Envoy sends what it has gathered every five
// seconds.
const exportQuiet = 6 * time.Second

// traced are the services whose requests make a trace of one span each, by the
// waypoint in front of them; the fixture calls nobody for these paths.
func traced() (agency, portal home) {
	agency, portal = homes()[0], homes()[1]
	agency.services = []string{"cars", "flights", "hotels", "insurances"}
	portal.services = []string{"voyages"}
	return agency, portal
}

func tracing() []Scenario {
	return []Scenario{tracingHalf(), tracingEdge("task3/tracing-0", 0), tracingEdge("task3/tracing-100", 100)}
}

// tracingScenario is what the scenarios of task 3 have in common.
func tracingScenario(id, title string, percent float64) Scenario {
	return Scenario{
		ID: id, Task: "task3", Title: title, Base: Enrolled, Expect: 12 * time.Second,
		Apply:     []Piece{{File: tracingFile, Sampling: &percent}},
		Waypoints: []string{"travel-agency", "travel-portal"},
	}
}

// tracingHalf is the workshop's 50 %, and nothing around it.
func tracingHalf() Scenario {
	s := tracingScenario("task3/tracing-50", "samples half of the traces at both waypoints", 50)
	s.Expect = 55 * time.Second
	agency, portal := traced()
	s.Drives = []Drive{
		tracedDrive(s, Before, 700), tracedDrive(s, Applied, tracedHits), treeDrive(s), tracedDrive(s, After, 700),
	}
	s.Promises = []record.Promise{
		traceShare(s, "before", "without Telemetry no span is exported", Before, exported(0)),
		sampledHalf(s, "sampled-agency", "samples half of the traces that begin at travel-agency's waypoint", agency, 50),
		sampledHalf(s, "sampled-portal", "samples half of the traces that begin at travel-portal's waypoint", portal, 100),
		traceShare(s, "exported", "exports the spans of half of the requests", Applied, exported(500)),
		traces(s, "whole", "exports what it sampled, and nothing else, under the services' names", stage(s.ID, Applied), claim.TracesParams{
			Names: spanNames(agency, portal), Services: spanServices(),
		}),
		traces(s, "tree", "joins the spans of a quote to one tree under the request that began it", stage(s.ID, Applied)+"/tree", claim.TracesParams{
			Names: spanNames(homes()[0]), Services: spanServices(),
		}),
		traces(s, "inherited", "respects the decision that a request brings along: a sampled quote is sampled at all of its five hops", stage(s.ID, Applied)+"/tree", claim.TracesParams{
			MinSpans: 5,
		}),
		traceShare(s, "after", "after Telemetry is deleted no span is exported", After, exported(0)),
	}
	return s
}

// tracingEdge is a share of none or all.
func tracingEdge(id string, percent float64) Scenario {
	title, sampled := "samples nothing at 0 %", "passes on a trace context that is not sampled"
	if percent > 0 {
		title, sampled = "samples everything at 100 %", "passes on a trace context that is sampled"
	}
	s := tracingScenario(id, title, percent)
	agency, portal := traced()
	s.Drives = []Drive{tracedDrive(s, Applied, 700)}
	s.Promises = []record.Promise{
		traceShare(s, "sampled", sampled, Applied, claim.ShareParams{Of: claim.Predicate{Sampled: true}, PerMille: int(percent) * 10, Label: "sampled"}),
		traceShare(s, "exported", title, Applied, exported(int(percent)*10)),
		traces(s, "whole", "exports what it sampled, and nothing else, under the services' names", stage(s.ID, Applied), claim.TracesParams{
			Names: spanNames(agency, portal), Services: spanServices(),
		}),
	}
	return s
}

// tracedHits gives the test of five points at the agency's waypoint its cap of
// 6655 with four targets of five, and that of ten points at the portal's its
// cap of 1641 with the fifth.
const tracedHits = 8320

// tracedDrive asks both namespaces' services in turn, and reads who got what
// trace context and what was exported.
func tracedDrive(s Scenario, window string, hits int) Drive {
	agency, portal := traced()
	load := keepalive(600, hits, append(agency.load(1).Targets, portal.load(1).Targets...)...)
	return Drive{
		Name: stage(s.ID, window), Window: window, Load: load, Spans: true, Quiet: exportQuiet,
		Collect: append(agency.apps(), portal.apps()...),
	}
}

// treeDrive asks for whole quotes: travels calls four services, each by the
// waypoint again, and passes the trace context on.
func treeDrive(s Scenario) Drive {
	agency, _ := traced()
	return Drive{
		Name: stage(s.ID, Applied) + "/tree", Window: Applied, Spans: true, Quiet: exportQuiet,
		Load: keepalive(120, 700, get("travels", travelsURL+"/travels/Madrid")), Collect: append(agency.apps(), "travel-agency/travels"),
	}
}

// exported is a share of requests with spans at the sink.
func exported(perMille int) claim.ShareParams {
	return claim.ShareParams{Of: claim.Predicate{Exported: true}, PerMille: perMille, Label: "exported"}
}

// traceShare is a promise about a share of traces: each request of the load
// begins one, for it brings no trace context and no x-request-id.
func traceShare(s Scenario, name, title, window string, params claim.ShareParams) record.Promise {
	promise := record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindShare, Window: window,
		Stages: []string{stage(s.ID, window)}, Unit: claim.UnitTrace, Beta: defaultBeta, Delta: 10,
		Params: claim.Params(params),
	}
	if params.PerMille%1000 != 0 {
		promise.Alpha, promise.Delta = defaultAlpha, 50
	}
	return promise
}

// sampledHalf is the promise about one waypoint's share, by the flag in the
// trace context that its backends got.
func sampledHalf(s Scenario, name, title string, of home, delta int) record.Promise {
	promise := traceShare(s, name, title, Applied, claim.ShareParams{
		Of: claim.Predicate{Sampled: true}, PerMille: 500, Label: "sampled", Targets: of.services,
	})
	promise.Delta = delta
	return promise
}

func traces(s Scenario, name, title, of string, params claim.TracesParams) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindTraces, Window: Applied, Stages: []string{of},
		Unit: claim.UnitTrace, Beta: defaultBeta, Delta: 10, Params: claim.Params(params),
	}
}

// spanNames are the names of spans for requests to the homes' services: the
// host and port that was asked, and the route's path.
func spanNames(of ...home) (names []string) {
	for _, h := range of {
		for _, service := range h.services {
			names = append(names, service+"."+h.namespace+".svc.cluster.local:8000*")
		}
	}
	return names
}

// spanServices are the names under which the waypoints export.
func spanServices() []string {
	return []string{"waypoint-travel-agency.travel-agency", "waypoint-travel-portal.travel-portal"}
}

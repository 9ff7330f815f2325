// Package catalogue lists what wayproof sets out to prove: for each task of the
// workshop, and each further capability, the scenarios that are played, the
// load of each window, and the promises that are judged on it.
//
// It is data. It touches no cluster, so that a plan can be printed without one;
// package scene plays it.
package catalogue

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Base is the state of the travel demo that a scenario starts from. Each
// includes the ones before it.
type Base int

// The bases, from bare to complete.
const (
	Demo     Base = iota // the demo runs in the mesh, nothing goes by a waypoint
	Enrolled             // both namespaces use their waypoints (tasks 1 and 2)
	Versions             // cars-v2 and the Services cars-v1, cars-v2 (task 4, steps 1 and 2)
)

// Windows of a scenario.
const (
	Before  = "before"
	Applied = "applied"
	After   = "after"
)

// Scenario is one thing applied to the mesh, the load before, under and after
// it, and what is promised of each window.
type Scenario struct {
	ID     string // "task4/split-70-30"
	Task   string // "task4"
	Title  string // completes the task's name to a sentence
	Labels []string
	Base   Base
	// Exact takes away first what goes beyond Base, from other scenarios or from
	// an earlier run: for scenarios whose window before shows its absence.
	Exact bool
	Setup []Piece // stays for the whole scenario
	Apply []Piece // what is under test: there in the window Applied only
	// Waypoints are the namespaces whose waypoints must have acknowledged a
	// change before a request counts.
	Waypoints []string
	// NodeProxies asks the same of every node proxy.
	NodeProxies bool
	// Replicas scales a waypoint for the scenario: "namespace/name" to count.
	Replicas map[string]int32
	Drives   []Drive
	Promises []record.Promise
	// Until names the promises, by id, that have to be violated: a load ends when
	// those that read its stage are, or can tell no more. Nil lets it last until
	// every promise is decided.
	Until []string
	// Expect is how long it takes, for the printed plan.
	Expect time.Duration
}

// Piece is one manifest, by its name in package manifests, and a change to it.
type Piece struct {
	File string
	// Only keeps objects of these kinds; empty keeps all.
	Only []string
	// Weights, if set, are put into the HTTPRoute's first rule, by backend.
	Weights map[string]int32
	// Route, if set, is the whole of the piece: a route made here, not read; File
	// is then only what reports call it.
	Route *gatewayv1.HTTPRoute
	// Sampling, if set, is put into Telemetry: the share of traces in per cent.
	Sampling *float64
	// Change, if set, is made on each object before it is applied, and leaves out
	// those for which it returns nil: how a defect is put into the mesh on purpose.
	Change func(*unstructured.Unstructured) (*unstructured.Unstructured, error)
	// Labels lends the objects' labels to objects that are there already, and
	// takes exactly these back: how a namespace is enrolled.
	Labels bool
	// Unawaited leaves it to the scenario's promises to say whether the mesh
	// accepted the piece; otherwise nothing goes on before it did.
	Unawaited bool
	// Lenient has the piece applied as a client without strict validation does,
	// after it was seen what strict validation says.
	Lenient bool
}

// Drive is one stage of load and what is collected after it.
type Drive struct {
	Name   string // of the stage: scenario id + "/" + window, with a suffix where a window has several
	Window string
	Load   record.Load
	// Collect lists the apps whose pods' ledgers are read: "travel-agency/cars".
	Collect []string
	// Quiet is how long to leave the ledgers alone before they are read.
	Quiet time.Duration
	// Samples lists what of the cluster is read before the load, until it is as
	// the promises say or Within has passed, and once more after it: kind, slash,
	// object, as in SampleGateway + "/travel-agency/waypoint-travel-agency".
	Samples []string
	Within  time.Duration
	// Scaling, if set, watches a waypoint's replicas while the load runs, or
	// without load for a time.
	Scaling *Scaling
	// Spans asks for the trace sink's spans, Logs for the third oracle: lines
	// counted in the logs of these apps.
	Spans bool
	Logs  []string
	// Waypoint names the waypoint, "namespace/name", whose pods are named as peers.
	Waypoint string
}

// Kinds of samples, and the series that they make.
const (
	SampleGateway = "gateway" // …/namespace/name/condition: 1 where it is true
	SampleProxy   = "proxy"   // …/namespace/name: what the Gateway's proxies call themselves
	SampleBound   = "bound"   // …/namespace, for each Service: the waypoint that istiod names
	SampleTable   = "table"   // …/namespace, for each Service: waypoint and endpoints in the node proxies' table
)

// Labels of scenarios.
const (
	Quick = "quick"
)

// stage names a scenario's stage.
func stage(scenario, window string) string { return scenario + "/" + window }

// Addresses of the demo as a client in the mesh uses them.
const (
	carsURL    = "http://cars.travel-agency.svc.cluster.local:8000"
	travelsURL = "http://travels.travel-agency.svc.cluster.local:8000"
)

// The two waypoints of the workshop.
const (
	agencyWaypoint = "travel-agency/waypoint-travel-agency"
	portalWaypoint = "travel-portal/waypoint-travel-portal"
)

// get is a plain request.
func get(name, url string) record.Target {
	return record.Target{Name: name, Method: "GET", URL: url}
}

// answerWait is how long a request is waited for. What a claim says of time it
// says by bounds of its own; an answer that a busy machine holds up for seconds
// is late, not lost.
const answerWait = 15 * time.Second

// keepalive is the usual load: an open loop over connections that are reused
// for a while, from enough clients that no waypoint replica is met by only one
// connection.
func keepalive(rate float64, hits int, targets ...record.Target) record.Load {
	return record.Load{
		Rate: rate, Hits: hits, Clients: 32, Timeout: answerWait,
		Connections: "keepalive", Targets: targets,
	}
}

// few is a short look: enough requests that an exception in one of a hundred
// is seen with high probability.
func few(targets ...record.Target) record.Load { return keepalive(200, 700, targets...) }

// every is a promise that each request of a stage satisfies conditions.
func every(s Scenario, name, title, window string, want claim.Conditions) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindEvery, Window: window,
		Stages: []string{stage(s.ID, window)}, Unit: claim.UnitRequest, Beta: defaultBeta, Delta: 10,
		Params: claim.Params(claim.EveryParams{Want: want}),
	}
}

// The error probabilities where a promise does not say its own.
const (
	defaultAlpha = 1e-6
	defaultBeta  = 1e-3
)

// Traffic lists every scenario of the traffic suite, in the order it is played.
func Traffic() []Scenario {
	return slices.Concat(waypoints(), enrolment(), tracing(), splits(), redirects(), rewrites(), mirrors(), headers(), paths(), faults(), timeouts(), retries(), l4(), scaling())
}

// Of lists the scenarios of a task.
func Of(task string) []Scenario {
	var scenarios []Scenario
	for _, scenario := range Traffic() {
		if scenario.Task == task {
			scenarios = append(scenarios, scenario)
		}
	}
	return scenarios
}

package catalogue

import (
	"cmp"
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// The manifests of tasks 1 and 2.
const (
	waypointsFile = "workshop/01-waypoints-create.yaml"
	enrolmentFile = "workshop/02_1-ns-use-waypoints.yaml"
)

// envoy is what every Envoy of the mesh signs its answers with.
const envoy = "istio-envoy"

// home is one namespace of the demo with its waypoint and its services: those
// that speak HTTP, each with a path that answers 200, and all of them.
type home struct {
	name      string // of its stages
	namespace string
	waypoint  string // namespace/name
	paths     map[string]string
	services  []string
	// answers names services that call themselves otherwise.
	answers map[string]string
}

func homes() []home {
	return []home{
		{
			name: "agency", namespace: "travel-agency", waypoint: agencyWaypoint,
			paths: map[string]string{
				"travels": "/travels", "cars": "/cars/Madrid", "flights": "/flights/Madrid", "hotels": "/hotels/Madrid",
				"insurances": "/insurances/Madrid", "discounts": "/discounts/new",
			},
			services: []string{"cars", "discounts", "flights", "hotels", "insurances", "mysqldb", "travels"},
		},
		{
			name: "portal", namespace: "travel-portal", waypoint: portalWaypoint,
			paths:    map[string]string{"travels": "/status", "viaggi": "/status", "voyages": "/status"},
			services: []string{"travels", "viaggi", "voyages"},
			answers:  map[string]string{"travels": "travels-portal"},
		},
	}
}

// speaking are the services that speak HTTP, in order; the database does not.
func (h home) speaking() (names []string) {
	for _, service := range h.services {
		if h.paths[service] != "" {
			names = append(names, service)
		}
	}
	return names
}

func (h home) url(service string) string {
	return "http://" + service + "." + h.namespace + ".svc.cluster.local:8000" + h.paths[service]
}

// load asks each service the same number of times.
func (h home) load(perService int) record.Load {
	var targets []record.Target
	for _, service := range h.speaking() {
		targets = append(targets, get(service, h.url(service)))
	}
	return keepalive(300, perService*len(targets), targets...)
}

func (h home) apps() (apps []string) {
	for _, service := range h.speaking() {
		apps = append(apps, h.namespace+"/"+service)
	}
	return apps
}

// waypoints is task 1: both Gateways become waypoints that run.
func waypoints() []Scenario {
	s := Scenario{
		ID: "task1/waypoints", Task: "task1", Title: "brings up a waypoint for each namespace", Labels: []string{Quick},
		Base: Demo, Exact: true, NodeProxies: true, Expect: 18 * time.Second,
		Apply: []Piece{{File: waypointsFile, Unawaited: true}},
	}
	for _, window := range []string{Before, Applied, After} {
		drive := Drive{
			Name: stage(s.ID, window), Window: window, Within: time.Minute,
			Load: few(get("cars", carsURL+"/cars/Madrid"), get("voyages", homes()[1].url("voyages"))),
		}
		for _, h := range homes() {
			drive.Samples = append(drive.Samples, SampleGateway+"/"+h.waypoint, SampleProxy+"/"+h.waypoint)
		}
		s.Drives = append(s.Drives, drive)
	}
	none := map[string]string{agencyWaypoint: "none", portalWaypoint: "none"}
	both := map[string]string{agencyWaypoint: "waypoint", portalWaypoint: "waypoint"}
	s.Promises = []record.Promise{
		rows(s, "before", "before there is no waypoint", stage(s.ID, Before), claim.RowsParams{Series: SampleProxy, Rows: none}),
		programmed(s),
		rows(s, "proxies", "each Gateway's proxies say of themselves that they are waypoints", stage(s.ID, Applied), claim.RowsParams{Series: SampleProxy, Rows: both}),
		every(s, "idle", "a waypoint that nobody uses takes no request", Applied, claim.Conditions{Status: 200, NotServer: envoy}),
		rows(s, "after", "deleted, the Gateways take their proxies with them", stage(s.ID, After), claim.RowsParams{Series: SampleProxy, Rows: none}),
		every(s, "unharmed", "and no request misses them", After, claim.Conditions{Status: 200, NotServer: envoy}),
	}
	return []Scenario{s}
}

// programmed is the promise about the Gateways' conditions.
func programmed(s Scenario) record.Promise {
	one := 1.0
	is := &claim.Range{AtLeast: &one}
	var conditions []claim.SeriesCondition
	for _, h := range homes() {
		for _, condition := range []string{"Accepted", "Programmed"} {
			conditions = append(conditions, claim.SeriesCondition{Series: SampleGateway + "/" + h.waypoint + "/" + condition, Reach: is, Last: is})
		}
	}
	return record.Promise{
		ID: s.ID + "/programmed", Task: s.Task, Title: "both waypoints are Accepted and Programmed within a minute, and stay it",
		Kind: claim.KindSeries, Window: Applied, Stages: []string{stage(s.ID, Applied)}, Unit: claim.UnitSample,
		Params: claim.Params(claim.SeriesParams{Conditions: conditions}),
	}
}

// rows is a promise about a table of samples.
func rows(s Scenario, name, title, of string, params claim.RowsParams) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindRows, Window: windowOf(s, of), Stages: []string{of},
		Unit: claim.UnitSample, Params: claim.Params(params),
	}
}

func windowOf(s Scenario, stage string) string {
	for _, drive := range s.Drives {
		if drive.Name == stage {
			return drive.Window
		}
	}
	return ""
}

// enrolment is task 2: a label on each namespace sends every request to every
// service through its waypoint, and taken away no longer does.
func enrolment() []Scenario {
	s := Scenario{
		ID: "task2/enrolment", Task: "task2", Title: "sends every request to every service through the namespace's waypoint", Labels: []string{Quick},
		Base: Demo, Exact: true, NodeProxies: true, Expect: 25 * time.Second,
		Setup:     []Piece{{File: waypointsFile}},
		Apply:     []Piece{{File: enrolmentFile, Labels: true}},
		Waypoints: []string{"travel-agency", "travel-portal"},
	}
	for _, window := range []string{Before, Applied, After} {
		for _, h := range homes() {
			s.Drives = append(s.Drives, enrolmentDrive(s, h, window))
		}
	}
	for _, window := range []string{Before, Applied, After} {
		of := enrolmentStage(s, homes()[0], window)
		s.Promises = append(s.Promises,
			rows(s, "bound-"+window, boundTitles()[window], of, claim.RowsParams{Series: SampleBound, Rows: boundRows(window == Applied)}),
			aboutNodeProxy(rows(s, "table-"+window, tableTitles()[window], of, claim.RowsParams{Series: SampleTable, Rows: tableRows(window == Applied)})),
		)
		for _, h := range homes() {
			s.Promises = append(s.Promises, aboutNodeProxy(through(s, h, window)))
		}
	}
	return []Scenario{s}
}

func boundTitles() map[string]string {
	return map[string]string{
		Before:  "before, no Service is bound to a waypoint",
		Applied: "istiod says of every Service that its waypoint is bound",
		After:   "un-enrolled, no Service is bound any more",
	}
}

func tableTitles() map[string]string {
	return map[string]string{
		Before:  "before, the node proxies' table of services names no waypoint",
		Applied: "the node proxies' table of services is the workshop's",
		After:   "un-enrolled, the table names no waypoint again",
	}
}

func enrolmentStage(s Scenario, h home, window string) string {
	return stage(s.ID, window) + "/" + h.name
}

// Requests per service: under the label as many as show that fewer than one in
// 44 goes astray, around it a look.
const (
	perServiceApplied = 300
	perServiceAround  = 60
)

func perService(window string) int {
	if window == Applied {
		return perServiceApplied
	}
	return perServiceAround
}

// enrolmentDrive asks one namespace's services. The cluster is read in the
// first of a window's drives.
func enrolmentDrive(s Scenario, h home, window string) Drive {
	drive := Drive{
		Name: enrolmentStage(s, h, window), Window: window, Load: h.load(perService(window)), Waypoint: h.waypoint,
		Collect: h.apps(), Quiet: 300 * time.Millisecond,
	}
	if h.name == homes()[0].name {
		drive.Within = 20 * time.Second
		for _, namespace := range []string{"travel-agency", "travel-portal"} {
			drive.Samples = append(drive.Samples, SampleBound+"/"+namespace, SampleTable+"/"+namespace)
		}
		drive.Samples = append(drive.Samples, SampleTable+"/travel-control")
	}
	return drive
}

// boundRows is which waypoint istiod names for each Service.
func boundRows(enrolled bool) map[string]string {
	table := map[string]string{}
	for _, h := range homes() {
		table[h.waypoint] = "none" // a waypoint's own Service goes by no waypoint
		for _, service := range h.services {
			table[h.namespace+"/"+service] = "none"
			if enrolled {
				table[h.namespace+"/"+service] = h.waypoint
			}
		}
	}
	return table
}

// tableRows is the table that the workshop prints: waypoint, and healthy of all
// endpoints. travel-control is enrolled by the demo itself.
func tableRows(enrolled bool) map[string]string {
	table := map[string]string{
		"travel-control/control":                 "travel-control-waypoint 1/1",
		"travel-control/travel-control-waypoint": "None 1/1",
		"travel-control/travel-gateway-istio":    "travel-control-waypoint 1/1",
	}
	for _, h := range homes() {
		table[h.waypoint] = "None 1/1"
		for _, service := range h.services {
			table[h.namespace+"/"+service] = "None 1/1"
			if enrolled {
				table[h.namespace+"/"+service] = h.waypoint[len(h.namespace)+1:] + " 1/1"
			}
		}
	}
	return table
}

func aboutNodeProxy(promise record.Promise) record.Promise {
	promise.AboutNodeProxy = true
	return promise
}

// through is the promise about traffic: signed by Envoy and brought by the
// namespace's own waypoint, or neither; and arrived once, at the service asked.
func through(s Scenario, h home, window string) record.Promise {
	var table []claim.Row
	for _, service := range h.speaking() {
		want := claim.Conditions{
			Status: 200, Service: cmp.Or(h.answers[service], service), NotServer: envoy, Via: claim.ViaOther,
			Backend: &claim.Backend{Of: claim.Selector{Service: service}, Path: h.paths[service]},
		}
		if window == Applied {
			want.NotServer, want.Server, want.Via = "", envoy, claim.ViaWaypoint
		}
		table = append(table, claim.Row{Target: service, Want: want})
	}
	of := enrolmentStage(s, h, window)
	return record.Promise{
		ID: s.ID + "/traffic-" + window + "-" + h.name, Task: s.Task, Title: fmt.Sprintf(throughTitles()[window], h.namespace),
		Kind: claim.KindTable, Window: window, Stages: []string{of}, Unit: claim.UnitRequest, Beta: defaultBeta,
		Params: claim.Params(claim.TableParams{Rows: table, PerRow: perService(window)}),
	}
}

func throughTitles() map[string]string {
	return map[string]string{
		Before:  "before, no request to %s goes through Envoy",
		Applied: "every request to every service of %s goes through its waypoint",
		After:   "un-enrolled, no request to %s goes through Envoy again",
	}
}

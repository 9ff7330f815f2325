package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// headers is routing by request headers: each case has rows that must match and
// rows that only nearly do.
func headers() []Scenario {
	return []Scenario{
		matching(Scenario{ID: "headers/exact", Task: "headers", Title: "sends requests with the header user: new, and no others, to v2"}, "header-exact",
			withHeaders("new", "v2", "user", "new"),
			withHeaders("registered", "v1", "user", "registered"),
			withHeaders("other case", "v1", "user", "NEW"),
			withHeaders("longer", "v1", "user", "newer"),
			withHeaders("other header", "v1", "device", "new"),
			withHeaders("without", "v1")).labelled(Quick),
		matching(Scenario{ID: "headers/regex", Task: "headers", Title: "sends requests whose header portal matches an expression as a whole to v2"}, "header-regex",
			withHeaders("fr", "v2", "portal", "voyages.fr"),
			withHeaders("it", "v2", "portal", "viaggi.it"),
			withHeaders("uk", "v1", "portal", "travels.uk"),
			withHeaders("longer", "v1", "portal", "voyages.fra"),
			withHeaders("longer before", "v1", "portal", "www.voyages.fr"),
			withHeaders("other case", "v1", "portal", "VOYAGES.FR"),
			withHeaders("without", "v1")),
		matching(Scenario{ID: "headers/several", Task: "headers", Title: "sends only requests with both headers to v2"}, "header-several",
			withHeaders("both", "v2", "user", "registered", "device", "mobile"),
			withHeaders("both and more", "v2", "device", "mobile", "user", "registered", "portal", "voyages.fr"),
			withHeaders("first", "v1", "user", "registered"),
			withHeaders("second", "v1", "device", "mobile"),
			withHeaders("second differs", "v1", "user", "registered", "device", "web"),
			withHeaders("first differs", "v1", "user", "new", "device", "mobile"),
			withHeaders("without", "v1")),
		matching(Scenario{ID: "headers/absent", Task: "headers", Title: "sends requests without the header user to v2"}, "header-absent",
			withHeaders("without", "v2"),
			withHeaders("other header", "v2", "device", "mobile"),
			withHeaders("new", "v1", "user", "new"),
			withHeaders("registered", "v1", "user", "registered")),
	}
}

// variant is one row of a matching scenario: a request, and the version of cars
// that must answer it while the route is applied.
type variant struct {
	target  record.Target
	version string
	status  int
}

// withHeaders is a request for a city with headers, given as names and values in
// turn.
func withHeaders(name, version string, pairs ...string) variant {
	header := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		header[pairs[i]] = pairs[i+1]
	}
	target := get(name, carsURL+"/cars/Rome")
	target.Header = header
	return variant{target: target, version: version, status: 200}
}

// perVariant is how many requests each row gets: an exception in one of twenty
// is missed with probability 0.95^140 = 0.0008.
const perVariant = 140

// matching is a scenario around a route of cars that tells requests apart. The
// route sends what matches to v2. Before and after it both versions get those
// same requests, so that a row cannot pass by chance of a missing route.
func matching(s Scenario, file string, variants ...variant) Scenario {
	s.Base, s.Waypoints, s.Expect = Versions, []string{"travel-agency"}, 6*time.Second
	s.Apply = []Piece{{File: "capabilities/" + file + ".yaml"}}
	var matched, all []record.Target
	var rows []claim.Row
	for _, v := range variants {
		all = append(all, v.target)
		rows = append(rows, claim.Row{Target: v.target.Name, Want: claim.Conditions{
			Status: v.status, Service: "cars", Version: v.version, Server: "istio-envoy",
		}})
		if v.version == "v2" {
			matched = append(matched, v.target)
		}
	}
	s.Drives = []Drive{
		{Name: stage(s.ID, Before), Window: Before, Waypoint: agencyWaypoint, Load: keepalive(400, bothHits, matched...)},
		{Name: stage(s.ID, Applied), Window: Applied, Waypoint: agencyWaypoint, Load: keepalive(400, perVariant*len(all), all...)},
		{Name: stage(s.ID, After), Window: After, Waypoint: agencyWaypoint, Load: keepalive(400, bothHits, matched...)},
	}
	s.Promises = []record.Promise{
		both(s, Before, "without the route both versions get the requests that it is to match"),
		table(s, "rows", s.Title, stage(s.ID, Applied), rows),
		both(s, After, "after the route is deleted both versions get them again"),
	}
	return s
}

// bothHits is the cap of the test that both makes.
const bothHits = 400

// both says that neither version is left out, at 25 points around a half: how
// even a Service spreads requests is not what these scenarios are about.
func both(s Scenario, window, title string) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + window, Task: s.Task, Title: title, Kind: claim.KindShare, Window: window,
		Stages: []string{stage(s.ID, window)}, Unit: claim.UnitRequest, Beta: defaultBeta, Delta: 250,
		Params: claim.Params(claim.ShareParams{Of: claim.Predicate{Version: "v2"}, PerMille: 500, Label: "answered by v2"}),
	}
}

// table is a promise about each of the targets of a stage by itself.
func table(s Scenario, name, title, stage string, rows []claim.Row) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindTable, Window: Applied,
		Stages: []string{stage}, Unit: claim.UnitRequest,
		Params: claim.Params(claim.TableParams{Rows: rows, PerRow: perVariant}),
	}
}

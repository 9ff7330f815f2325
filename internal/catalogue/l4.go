package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

const carsL4URL = "http://cars-l4.travel-agency.svc.cluster.local:8000"

// l4 is balancing by the node proxy alone: a Service that opts out of its
// namespace's waypoint. What is spread are connections, so each request has one
// of its own, and the unit of the test is the connection.
func l4() []Scenario {
	s := Scenario{
		ID: "l4/connections", Task: "l4", Title: "spreads connections evenly over two pods without a waypoint", Base: Enrolled,
		Setup: []Piece{{File: "l4/cars-l4.yaml"}}, NodeProxies: true, Expect: 12 * time.Second,
	}
	load := keepalive(280, 6700, get("cars-l4", carsL4URL+"/cars/Madrid"))
	load.Connections = "fresh"
	s.Drives = []Drive{{Name: stage(s.ID, Applied), Window: Applied, Load: load}}
	s.Promises = []record.Promise{
		{
			ID: s.ID + "/balance", Task: s.Task, Title: s.Title, Kind: claim.KindBalance, Window: Applied,
			Stages: []string{stage(s.ID, Applied)}, Unit: claim.UnitConnection, Alpha: defaultAlpha, Beta: defaultBeta, Delta: 50,
			AboutNodeProxy: true, Params: claim.Params(claim.BalanceParams{Pods: 2, Service: "cars-l4"}),
		},
		every(s, "direct", "goes by no waypoint", Applied, claim.Conditions{Status: 200, Service: "cars-l4", NotServer: "istio-envoy"}),
	}
	s.Promises[1].AboutNodeProxy = true
	return []Scenario{s}
}

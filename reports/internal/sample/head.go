package sample

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// The waypoint replicas of the sample, by the addresses that backends see.
var peers = map[string]string{ //nolint:gochecknoglobals // a constant but for its type
	"10.244.1.7": "waypoint-travel-agency-6f7c-a", "10.244.2.9": "waypoint-travel-agency-6f7c-b",
}

func head(seed uint64) record.Run {
	return record.Run{
		Schema: record.Schema, ID: "2026-11-23T18-04-11Z-1724", Seed: seed,
		Command:     fmt.Sprintf("wayproof run --env kind --istio 1.31.0 --seed %d", seed),
		Again:       fmt.Sprintf("wayproof run --seed %d", seed),
		Started:     time.Date(2026, 11, 23, 18, 4, 11, 0, time.UTC),
		Environment: environment(),
		Plan:        record.Plan{Seed: seed, Alpha: 1e-3},
		Findings: []record.Finding{
			{Task: "task7", Object: "HTTPRoute/cars-mirror", Text: "strict decoding refused unknown field spec.rules[0].filters[0].requestMirror.percentage; the corrected manifest was used"},
			{Task: "task6", Object: "HTTPRoute/travels-rewrite", Text: "the workshop's route has no catch-all rule: every other path answers 404 while it is applied"},
		},
	}
}

func environment() record.Environment {
	return record.Environment{
		Name: "kind", Kubernetes: "1.36.2", Istio: "1.31.0", GatewayAPI: "1.6.3", Channel: "standard",
		NodeProxy: record.StandIn + " 1a2b3c4d", Waypoint: "upstream envoy 1.38.1 + adapter", Nodes: 3,
		Components: []record.Component{
			{Name: "istiod", Version: "1.31.0", Image: "wayproof.local/pilot:1.31.0", Source: "build"},
			{Name: "waypoint", Version: "1.38.1", Image: "wayproof.local/envoy:1.38.1", Source: "build"},
			{Name: "node proxy", Version: "0.1.0", Image: "wayproof.local/nodeproxy:0.1.0", Source: "build"},
			{Name: "kubelet", Version: "1.36.2", Image: "node image", Source: "node"},
		},
		Lacks: []record.Lack{{Ability: "ztunnel", Reason: "no registry answers and the image cannot be built from packages"}},
	}
}

// after is an offset from the stage's base, written as a time until the stage
// has its place.
func after(d time.Duration) time.Time { return time.Time{}.Add(d) }

// stage describes a stage by its promise, its rate and the length of its load.
func stage(id, window string, rate float64, length time.Duration) record.Stage {
	return record.Stage{
		Name: id + "/" + window, Spec: id, Window: window, Peers: peers,
		Load: record.Load{
			Rate: rate, Hits: int(rate * length.Seconds()), Clients: 32, Timeout: 10 * time.Second,
			Connections: "keepalive", IDPrefix: "4f1c9a",
			Targets: []record.Target{{Name: "cars", Method: "GET", URL: "http://cars.travel-agency:8000/cars/Madrid"}},
		},
		Config: []string{"route cars-traffic-split generation 2: Accepted, ResolvedRefs, ResolvedWaypoints"},
	}
}

// promise is a promise with the alpha that each gets of the run's budget.
func promise(id, title, kind, params string) record.Promise {
	p := record.Promise{
		ID: id, Title: title, Kind: kind, Params: []byte(params), Unit: "request", Window: "applied",
		Stages: []string{id + "/applied"}, Alpha: 1e-6, Beta: 1e-3, Delta: 50,
	}
	for i, r := range id {
		if r == '/' {
			p.Task = id[:i]
			break
		}
	}
	return p
}

// judge makes a verdict about a promise.
func judge(p record.Promise, o record.Outcome, v record.Verdict) record.Verdict {
	v.ID, v.Task, v.Title, v.Unit, v.Verdict = p.ID, p.Task, p.Title, p.Unit, o
	v.Alpha, v.Beta, v.Delta = p.Alpha, p.Beta, p.Delta
	return v
}

package spoil

import (
	"encoding/json"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// promises are those of a recording, before they are planned.
func promises(recording string) []record.Promise {
	switch recording {
	case split:
		return splitPromises()
	case mirror:
		return mirrorPromises()
	case mirrorHalf:
		return []record.Promise{
			promise(claim.KindMirror, claim.Params(claim.MirrorParams{Primary: cars("v1"), Mirror: cars("v2"), PerMille: 500, QuietMs: 1000})),
		}
	case shift:
		return shiftPromises()
	case connections:
		return []record.Promise{
			promise(claim.KindBalance, claim.Params(claim.BalanceParams{Pods: 2, Service: "cars-l4"})),
			promise(claim.KindEvery, claim.Params(claim.EveryParams{Want: claim.Conditions{Status: 200, NotServer: envoy}})),
		}
	case redirect:
		return redirectPromises()
	case tracing:
		return tracingPromises()
	case cluster:
		return clusterPromises()
	case outage:
		return outagePromises()
	case ordeal:
		return ordealPromises()
	}
	return nil
}

// promise is one about the recording's first stage, called by its kind.
func promise(kind string, params json.RawMessage) record.Promise {
	p := record.Promise{
		ID: kind, Task: "proof", Title: kind, Kind: kind, Stages: []string{"s"}, Unit: claim.UnitRequest,
		Beta: beta, Delta: delta, Params: params,
	}
	switch kind {
	case claim.KindSplit, claim.KindIndependence, claim.KindShare, claim.KindMirror, claim.KindBalance, claim.KindLatency, claim.KindShift, claim.KindBound:
		p.Alpha = alpha
	}
	return p
}

// called gives a promise a name of its own, where a recording has two of a kind.
func called(p record.Promise, name string) record.Promise {
	p.ID = name
	return p
}

func cars(version string) claim.Selector { return claim.Selector{Service: "cars", Version: version} }

func splitPromises() []record.Promise {
	once := &claim.Backend{Of: claim.Selector{Service: "cars"}, Path: carsPath}
	independence := promise(claim.KindIndependence, claim.Params(claim.IndependenceParams{
		Version: "v1", Block: 40, Over: []string{claim.OverRuns, claim.OverConnections, claim.OverReplicas, claim.OverBlocks},
	}))
	independence.Delta = 250
	serving := promise(claim.KindServing, claim.Params(claim.ServingParams{AtLeast: 2}))
	everyOne := promise(claim.KindEvery, claim.Params(claim.EveryParams{Want: claim.Conditions{Status: 200, Server: envoy, Via: claim.ViaWaypoint, Backend: once}}))
	return []record.Promise{
		promise(claim.KindSplit, claim.Params(claim.SplitParams{
			Service: "cars", Arms: []claim.Arm{{Version: "v1", Weight: 70}, {Version: "v2", Weight: 30}}, Replicas: 2,
		})),
		independence,
		promise(claim.KindShare, claim.Params(claim.ShareParams{Of: claim.Predicate{Version: "v1"}, PerMille: shareOfV1, Label: "v1"})),
		everyOne, serving,
		promise(claim.KindAttempts, claim.Params(claim.AttemptsParams{Backend: claim.Selector{Service: "cars"}, Exactly: 1, Status: 200})),
		promise(claim.KindBound, claim.Params(claim.BoundParams{BudgetPPM: 10_000})),
		promise(claim.KindLatency, claim.Params(claim.LatencyParams{Bounds: []claim.QuantileBound{
			{Quantile: 100, AtLeastMs: 2}, {Quantile: 900, AtMostMs: 5},
		}})),
	}
}

func mirrorPromises() []record.Promise {
	return []record.Promise{
		promise(claim.KindMirror, claim.Params(claim.MirrorParams{
			Primary: cars("v1"), Mirror: cars("v2"), PerMille: 1000, Oracle: claim.OracleBoth, QuietMs: 1000,
		})),
		promise(claim.KindEvery, claim.Params(claim.EveryParams{Want: claim.Conditions{Status: 200, Version: "v1", Server: envoy}})),
	}
}

func shiftPromises() []record.Promise {
	slower := promise(claim.KindShift, claim.Params(claim.ShiftParams{Quantiles: []int{500, 900}, BelowMs: 5, Measure: claim.FromSent}))
	slower.Stages = []string{"s", "with"}
	bounds := promise(claim.KindLatency, claim.Params(claim.LatencyParams{Bounds: []claim.QuantileBound{{Quantile: 900, AtMostMs: 100}}}))
	bounds.Stages = []string{"with"}
	return []record.Promise{slower, bounds}
}

func redirectPromises() []record.Promise {
	none := 0
	rows := []claim.Row{
		{Target: "moved", Want: claim.Conditions{
			Status: 302, Location: location, Server: envoy, Backend: &claim.Backend{Of: claim.Selector{Service: "travels"}, Arrivals: &none},
		}},
		{Target: "listed", Want: claim.Conditions{
			Status: 200, Location: "-", Service: "travels", Backend: &claim.Backend{Of: claim.Selector{Service: "travels"}, Path: carsPath},
		}},
	}
	return []record.Promise{
		promise(claim.KindTable, claim.Params(claim.TableParams{Rows: rows, PerRow: 90})),
		promise(claim.KindBound, claim.Params(claim.BoundParams{BudgetPPM: 50_000})),
	}
}

func tracingPromises() []record.Promise {
	sampled := promise(claim.KindShare, claim.Params(claim.ShareParams{Of: claim.Predicate{Sampled: true}, PerMille: 500, Label: "sampled"}))
	exported := promise(claim.KindShare, claim.Params(claim.ShareParams{Of: claim.Predicate{Exported: true}, PerMille: 500, Label: "exported"}))
	return []record.Promise{
		promise(claim.KindTraces, claim.Params(claim.TracesParams{Names: []string{"cars.travel-agency*"}, Services: []string{"waypoint"}})),
		called(sampled, "share sampled"), called(exported, "share exported"),
	}
}

func clusterPromises() []record.Promise {
	five, three := 5.0, 3.0
	return []record.Promise{
		promise(claim.KindSeries, claim.Params(claim.SeriesParams{Conditions: []claim.SeriesCondition{
			{Series: "hpa/max", Always: &claim.Range{AtLeast: &five, AtMost: &five}},
			{Series: "hpa/desired", Never: &claim.Range{Above: &five}, Reach: &claim.Range{AtLeast: &three}, WithinMs: 45_000, Last: &claim.Range{AtLeast: &three}, MaxGapMs: 5000},
		}})),
		promise(claim.KindRows, claim.Params(claim.RowsParams{Series: "table", Rows: map[string]string{
			"travel-agency/cars": "waypoint 1/1", "travel-agency/hotels": "waypoint 1/1",
		}})),
	}
}

func outagePromises() []record.Promise {
	after := promise(claim.KindBound, claim.Params(claim.BoundParams{Window: "after"}))
	after.Delta = 20
	return []record.Promise{
		promise(claim.KindRecovery, claim.Params(claim.RecoveryParams{Window: "fault", WithinMs: 1000, SliceMs: 250})),
		after,
	}
}

// ordealPromises are those about a fault while it lasts: what it costs, from when
// on, how it is felt, and how long a request takes.
func ordealPromises() []record.Promise {
	of := []record.Promise{
		promise(claim.KindRecovery, claim.Params(claim.RecoveryParams{
			Window: "fault", FromStart: true, WithinMs: 1000, BudgetPPM: 800_000,
		})),
		promise(claim.KindBound, claim.Params(claim.BoundParams{Window: "fault", BudgetPPM: 700_000, CountSkipped: true})),
		promise(claim.KindShare, claim.Params(claim.ShareParams{
			Of: claim.Predicate{Status: 503, Version: "v2"}, PerMille: ordealShare, Label: "503 of v2", Window: "fault",
		})),
		promise(claim.KindLatency, claim.Params(claim.LatencyParams{
			Measure: claim.FromSent, Window: "fault", Bounds: []claim.QuantileBound{{Quantile: 900, AtMostMs: 20}},
		})),
	}
	for i := range of {
		of[i].Requires = []string{claim.Presupposing("fault")}
	}
	return of
}

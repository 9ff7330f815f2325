// Package synthetic makes recorded runs out of a seed: a split with its ledger
// left out, its latency, its errors, and the recovery from an outage. They are
// judged by the same claims as a run on a mesh, so that what compares, replays
// or trends runs can be tested with a known truth.
//
// It is for tests only. No command builds on it.
package synthetic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// The promises of a synthetic run.
const (
	Split    = "task4/split-70-30/share"
	Latency  = "task4/split-70-30/latency"
	Errors   = "task4/split-70-30/errors"
	Recovery = "resilience/waypoint-kill/recovery"
)

// Names of its two stages.
const (
	SplitStage = "task4/split-70-30/applied"
	KillStage  = "resilience/waypoint-kill/fault"
)

// Shape is the truth that a run is drawn from.
type Shape struct {
	Seed   uint64
	Hits   int           // of the split's stage, 5900 if 0
	First  int           // share of v1 per mille, 700 if 0
	Slower time.Duration // added to every latency
	Lost   int           // requests per mille that end in a reset
	Stall  time.Duration // added to the latency of one request in ten, all neighbours
	Outage time.Duration // from the kill until answers return, 1500 ms if 0
}

func (s Shape) orDefaults() Shape {
	if s.Hits == 0 {
		s.Hits = 5900
	}
	if s.First == 0 {
		s.First = 700
	}
	if s.Outage == 0 {
		s.Outage = 1500 * time.Millisecond
	}
	return s
}

const (
	rate     = 200.0
	interval = time.Second / 200
	killHits = 4000 // 20 s
	faultAt  = 4 * time.Second
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant but for its type

// New draws a run and judges it.
func New(ctx context.Context, shape Shape) (*record.Memory, error) {
	run, err := Draw(shape)
	if err != nil {
		return nil, err
	}
	run.Record.Verdicts, err = claim.Judge(ctx, run, run.Record.Plan.Promises)
	return run, err
}

// Draw draws a run without verdicts, which is faster.
func Draw(shape Shape) (*record.Memory, error) {
	shape = shape.orDefaults()
	run := &record.Memory{Record: head(shape)}
	planned, err := claim.Plan(promises(), 1e-3)
	if err != nil {
		return nil, fmt.Errorf("plan a synthetic run: %w", err)
	}
	run.Record.Plan = record.Plan{Seed: shape.Seed, Alpha: 1e-3, Promises: planned}
	random := rand.New(rand.NewPCG(shape.Seed, 7))
	for stage := range run.Record.Stages {
		for seq := range run.Record.Stages[stage].Load.Hits {
			o := request(random, stage, seq)
			shape.spoil(random, &o)
			if err := run.Observation(&o); err != nil {
				return nil, err
			}
		}
	}
	return run, nil
}

func head(shape Shape) record.Run {
	return record.Run{
		Schema: record.Schema, ID: fmt.Sprintf("synthetic-%d", shape.Seed), Seed: shape.Seed,
		Started: epoch, Ended: epoch.Add(time.Minute),
		Environment: record.Environment{
			Name: "kind", Kubernetes: "1.36.2", Istio: "1.31.4", GatewayAPI: "1.6.3",
			NodeProxy: "ztunnel 1.31.4", Waypoint: "istio proxy 1.31.4", Nodes: 3,
		},
		Stages: []record.Stage{
			stage(SplitStage, "task4/split-70-30", shape.Hits),
			stage(KillStage, "resilience/waypoint-kill", killHits),
		},
		Windows: []record.Window{{
			Spec: "resilience/waypoint-kill", Name: "fault", Fault: "kill",
			Start: epoch.Add(faultAt), End: epoch.Add(faultAt),
		}},
	}
}

func stage(name, spec string, hits int) record.Stage {
	length := time.Duration(hits) * interval
	return record.Stage{
		Name: name, Spec: spec, Window: "applied", Base: epoch, Ended: epoch.Add(length), Collected: epoch.Add(length + 3*time.Second),
		Load: record.Load{
			Rate: rate, Hits: hits, Clients: 32, Timeout: 5 * time.Second, Connections: "keepalive", IDPrefix: "syn",
			Targets: []record.Target{{Name: "cars", Method: "GET", URL: "http://cars.travel-agency.svc.cluster.local:8000/cars/Madrid"}},
		},
		Health: record.Health{Planned: hits, Sent: hits, Completed: hits, LagP99: time.Millisecond},
	}
}

func promises() []record.Promise {
	of := func(id, kind, stage string, params []byte) record.Promise {
		return record.Promise{ID: id, Task: id[:5], Title: id, Kind: kind, Stages: []string{stage}, Unit: claim.UnitRequest, Params: params}
	}
	split := of(Split, claim.KindSplit, SplitStage, claim.Params(claim.SplitParams{
		Service: "cars", HeaderOnly: true, Arms: []claim.Arm{{Version: "v1", Weight: 70}, {Version: "v2", Weight: 30}},
	}))
	split.Alpha, split.Beta, split.Delta = 1e-6, 1e-3, 50
	return []record.Promise{
		split,
		of(Latency, claim.KindLatency, SplitStage, claim.Params(claim.LatencyParams{Bounds: []claim.QuantileBound{{Quantile: 990, AtMostMs: 500}}})),
		of(Errors, claim.KindBound, SplitStage, claim.Params(claim.BoundParams{BudgetPPM: 100_000})),
		of(Recovery, claim.KindRecovery, KillStage, claim.Params(claim.RecoveryParams{Window: "fault", WithinMs: 5000, SliceMs: 500})),
	}
}

// request is a healthy request: a few milliseconds with a long tail.
func request(random *rand.Rand, stage, seq int) record.Observation {
	at := time.Duration(seq) * interval
	took := time.Duration((2 + random.ExpFloat64()) * float64(time.Millisecond))
	if random.IntN(100) == 0 {
		took += time.Duration(random.ExpFloat64() * 8 * float64(time.Millisecond))
	}
	return record.Observation{
		Stage: stage, Seq: seq, Client: seq % 32, Conn: seq / 400, Reused: seq%400 >= 32,
		Intended: at, Sent: at + 50*time.Microsecond, First: at + took/2, Done: at + took,
		Status: 200, Class: record.ClassOK, Service: "cars", Version: "v1", Pod: "cars-v1-x", Peer: "10.0.0.1:4000",
	}
}

// spoil puts the shape's deviations into a request.
func (s Shape) spoil(random *rand.Rand, o *record.Observation) {
	if random.IntN(1000) >= s.First {
		o.Version, o.Pod = "v2", "cars-v2-x"
	}
	if o.Stage == 1 && o.Intended >= faultAt && o.Intended < faultAt+s.Outage {
		s.fail(o)
		return
	}
	if o.Stage == 0 && random.IntN(1000) < s.Lost {
		s.fail(o)
		return
	}
	took := s.Slower
	if tenth := s.Hits / 10; o.Seq >= 4*tenth && o.Seq < 5*tenth {
		took += s.Stall
	}
	o.First, o.Done = o.First+took, o.Done+took
}

func (s Shape) fail(o *record.Observation) {
	o.Class, o.Status, o.First = record.ClassReset, 0, 0
	o.Version, o.Service, o.Pod = "", "", ""
}

// Write puts a run into a folder as a run on a mesh does.
func Write(ctx context.Context, dir string, run *record.Memory) error {
	w, err := record.Create(dir)
	if err != nil {
		return err
	}
	if err := run.Walk(ctx, w); err != nil {
		return err
	}
	for _, write := range []func() error{
		func() error { return w.WritePlan(run.Record.Plan) },
		func() error { return w.WriteVerdicts(run.Record.Verdicts) },
		func() error { return w.WriteRun(&run.Record) },
		w.Close,
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

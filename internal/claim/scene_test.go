package claim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// scene is a recorded run in the open, so that a test can spoil it.
type scene struct {
	run          record.Run
	observations []record.Observation
	arrivals     []record.Arrival
	spans        []record.Span
	samples      []record.Sample
	walk         error // what the walk ends with
}

func (s *scene) Run() *record.Run { return &s.run }

func (s *scene) Walk(_ context.Context, sink record.Sink) error {
	for _, o := range s.observations {
		if err := sink.Observation(&o); err != nil {
			return err
		}
	}
	for _, a := range s.arrivals {
		if err := sink.Arrival(&a); err != nil {
			return err
		}
	}
	for _, sp := range s.spans {
		if err := sink.Span(&sp); err != nil {
			return err
		}
	}
	for _, sm := range s.samples {
		if err := sink.Sample(&sm); err != nil {
			return err
		}
	}
	return s.walk
}

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const interval = 5 * time.Millisecond

// addStage appends a stage of healthy load: 64 connections of 8 clients, half
// of them through each of two waypoint replicas. answer may change what each
// request saw; arrivals follow the observation.
func (s *scene) addStage(name string, hits int, answer func(o *record.Observation)) int {
	index := len(s.run.Stages)
	s.run.Stages = append(s.run.Stages, record.Stage{
		Name: name, Spec: "spec", Base: epoch, Ended: epoch.Add(time.Duration(hits) * interval),
		Collected: epoch.Add(time.Duration(hits)*interval + 3*time.Second),
		Load:      record.Load{Rate: 200, Hits: hits, Clients: 8, IDPrefix: "id" + name, Targets: []record.Target{{Name: "main"}}},
		Health:    record.Health{Planned: hits, Sent: hits, Completed: hits, LagP99: time.Millisecond},
		Peers:     map[string]string{"10.0.0.1": "waypoint-a", "10.0.0.2": "waypoint-b"},
		Config:    []string{"route cars-traffic-split generation 2: Accepted, ResolvedRefs"},
	})
	for seq := range hits {
		at := time.Duration(seq) * interval
		conn := seq / 8 % 8
		o := record.Observation{
			Stage: index, Seq: seq, Client: seq % 8, Conn: conn, Reused: seq >= 64, Intended: at,
			Sent: at + 50*time.Microsecond, First: at + 2*time.Millisecond, Done: at + 3*time.Millisecond,
			Status: 200, Class: record.ClassOK, Service: "cars", Version: "v1", Pod: "cars-v1-x",
			Peer: fmt.Sprintf("10.0.0.%d:4%03d", 1+conn%2, conn), Server: "istio-envoy",
		}
		if answer != nil {
			answer(&o)
		}
		s.observations = append(s.observations, o)
	}
	return index
}

// addLedger records every answered request at the pod that answered.
func (s *scene) addLedger(stage int) {
	for _, o := range s.observations {
		if o.Stage == stage && o.Class == record.ClassOK {
			s.arrive(o.Stage, o.Seq, o.Service, o.Version)
		}
	}
}

func (s *scene) arrive(stage, seq int, service, version string) *record.Arrival {
	s.arrivals = append(s.arrivals, record.Arrival{
		Stage: stage, Seq: seq, Service: service, Version: version, Pod: service + "-" + version + "-x",
		At: epoch.Add(time.Duration(seq) * interval), Attempt: 1, Path: "/cars",
	})
	return &s.arrivals[len(s.arrivals)-1]
}

// picker answers from v1 with the given probability, else from v2.
func picker(seed uint64, perMille int) func(*record.Observation) {
	random := rand.New(rand.NewPCG(seed, 1))
	return func(o *record.Observation) {
		if random.IntN(1000) >= perMille {
			o.Version, o.Pod = "v2", "cars-v2-x"
		}
	}
}

// plan completes a promise as a run would.
func plan(t testing.TB, p record.Promise) record.Promise {
	t.Helper()
	if p.ID == "" {
		p.ID, p.Title = "task/"+p.Kind, "cars"
	}
	if p.Stages == nil {
		p.Stages = []string{"s"}
	}
	planned, err := Plan([]record.Promise{p}, 1e-3)
	require.NoError(t, err)
	return planned[0]
}

func (s *scene) judge(t testing.TB, p record.Promise) record.Verdict {
	t.Helper()
	return One(t.Context(), s, p)
}

// clone makes a copy that a test may spoil.
func (s *scene) clone() *scene {
	c := *s
	c.run.Stages = slices.Clone(s.run.Stages)
	c.observations, c.arrivals = slices.Clone(s.observations), slices.Clone(s.arrivals)
	c.spans, c.samples = slices.Clone(s.spans), slices.Clone(s.samples)
	return &c
}

// soundCase is a sound run with a promise that holds on it.
type soundCase struct {
	scene   *scene
	promise record.Promise
}

const traceID = "0af7651916cd43dd8448eb211c80319c"

func traceparent(sampled bool) string {
	if sampled {
		return "00-" + traceID + "-b7ad6b7169203331-01"
	}
	return "00-" + traceID + "-b7ad6b7169203331-00"
}

func ptr[T any](v T) *T { return &v }

var split7030 = SplitParams{Service: "cars", Arms: []Arm{{"v1", 70}, {"v2", 30}}, Replicas: 2}

// soundCases has one entry per kind that reads requests.
func soundCases(t testing.TB) map[string]soundCase {
	t.Helper()
	cases := map[string]soundCase{}
	add := func(p record.Promise, build func(s *scene, hits int)) {
		p.Alpha, p.Beta, p.Delta = 1e-4, 1e-2, 100 // loose, so that the runs are short
		p = plan(t, p)
		s := new(scene)
		build(s, max(p.N+50, 200))
		cases[p.Kind] = soundCase{s, p}
	}
	withLedger := func(answer func(*record.Observation)) func(*scene, int) {
		return func(s *scene, hits int) { s.addLedger(s.addStage("s", hits, answer)) }
	}
	add(record.Promise{Kind: KindSplit, Params: Params(split7030)}, withLedger(picker(1, 700)))
	add(record.Promise{Kind: KindIndependence, Params: Params(IndependenceParams{Version: "v1", Block: 50})}, withLedger(picker(2, 700)))
	add(record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Version: "v1"}, PerMille: 500, Label: "v1"})}, withLedger(picker(3, 500)))
	add(record.Promise{Kind: KindEvery, Params: Params(EveryParams{Want: Conditions{Status: 200, Server: "istio-envoy", Backend: &Backend{Of: Selector{Service: "cars"}, Path: "/cars"}}})}, withLedger(nil))
	add(record.Promise{Kind: KindTable, Params: Params(TableParams{Rows: []Row{{"main", Conditions{Status: 200}}}, PerRow: 5})}, withLedger(nil))
	add(record.Promise{Kind: KindMirror, Params: Params(MirrorParams{Primary: Selector{Service: "cars", Version: "v1"}, Mirror: Selector{Service: "cars-v2"}, PerMille: 1000, Oracle: OracleBoth, QuietMs: 2000})}, func(s *scene, hits int) {
		s.addLedger(s.addStage("s", hits, nil))
		for seq := range hits {
			s.arrive(0, seq, "cars-v2", "v2")
			s.arrive(0, seq, "cars-v2", "v2").Source = "log"
		}
	})
	add(record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 990, AtMostMs: 3}, {Quantile: 10, AtLeastMs: 3}}})}, withLedger(nil))
	add(record.Promise{Kind: KindShift, Stages: []string{"s", "with"}, Params: Params(ShiftParams{Quantiles: []int{500, 990}, BelowMs: 5})}, func(s *scene, hits int) {
		s.addStage("s", hits, nil)
		s.addStage("with", hits, func(o *record.Observation) { o.Done += 2 * time.Millisecond })
	})
	add(record.Promise{Kind: KindAttempts, Params: Params(AttemptsParams{Backend: Selector{Service: "cars"}, Exactly: 1, Status: 200})}, withLedger(nil))
	add(record.Promise{Kind: KindBalance, Params: Params(BalanceParams{Pods: 2})}, func(s *scene, hits int) {
		random := rand.New(rand.NewPCG(4, 1))
		s.addStage("s", hits, func(o *record.Observation) {
			o.Conn = o.Seq
			o.Pod = fmt.Sprintf("pod-%d", random.IntN(2))
		})
	})
	add(record.Promise{Kind: KindServing, Params: Params(ServingParams{AtLeast: 2})}, withLedger(nil))
	add(record.Promise{Kind: KindBound, Params: Params(BoundParams{BudgetPPM: 10_000})}, withLedger(nil))
	add(record.Promise{Kind: KindRecovery, Params: Params(RecoveryParams{Window: "fault", WithinMs: 500, SliceMs: 100})}, func(s *scene, hits int) {
		s.addStage("s", hits, nil)
		s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch, End: epoch.Add(100 * time.Millisecond)}}
	})
	add(record.Promise{Kind: KindTraces, Params: Params(TracesParams{Names: []string{"cars.*"}})}, func(s *scene, hits int) {
		s.addStage("s", hits, nil)
		for seq := range hits {
			sampled := seq%2 == 0
			s.arrive(0, seq, "cars", "v1").Traceparent = traceparent(sampled)
			if sampled {
				id := fmt.Sprintf("%032x", seq)
				s.spans = append(s.spans,
					record.Span{Seq: seq, TraceID: id, SpanID: "2", ParentID: "1", Name: "cars.local:8000/*"},
					record.Span{Seq: seq, TraceID: id, SpanID: "1", Name: "cars.local:8000/*"})
			}
		}
	})
	return cases
}

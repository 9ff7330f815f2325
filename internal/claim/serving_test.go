package claim

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// serve plays a stage whose connections go by replicas in turn; peers maps the
// addresses that are replicas.
func serve(t *testing.T, peers map[string]string, replicas int) record.Verdict {
	t.Helper()
	s := &scene{}
	index := s.addStage("s", 400, func(o *record.Observation) {
		o.Conn, o.Reused = o.Seq, false
		o.Peer = fmt.Sprintf("10.0.0.%d:40000", 1+o.Seq%replicas)
	})
	s.run.Stages[index].Peers = peers
	return One(t.Context(), s, plan(t, record.Promise{Kind: KindServing, Params: Params(ServingParams{AtLeast: 3})}))
}

func TestServingCountsReplicasThatCarryRequests(t *testing.T) {
	three := map[string]string{"10.0.0.1": "a", "10.0.0.2": "b", "10.0.0.3": "c"}
	cases := map[string]struct {
		peers    map[string]string
		replicas int
		want     record.Outcome
	}{
		"three serve":                   {three, 3, record.Held},
		"the third is idle":             {three, 2, record.Violated},
		"the third peer is no replica":  {map[string]string{"10.0.0.1": "a", "10.0.0.2": "b"}, 3, record.Violated},
		"two addresses of one replica":  {map[string]string{"10.0.0.1": "a", "10.0.0.2": "b", "10.0.0.3": "b"}, 3, record.Violated},
		"nobody knows who serves":       {map[string]string{}, 3, record.Violated},
		"more than asked for is enough": {map[string]string{"10.0.0.1": "a", "10.0.0.2": "b", "10.0.0.3": "c", "10.0.0.4": "d"}, 4, record.Held},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			v := serve(t, c.peers, c.replicas)
			assert.Equal(t, c.want, v.Verdict, v.Detail)
		})
	}
}

// What a claim reads is what it waits for: requests of other targets, and those
// that a condition leaves out, do not make up its sample.
func TestAStageRunsUntilEachClaimHasItsOwnRequests(t *testing.T) {
	stage := record.Stage{Name: "s", Load: record.Load{Hits: 5000, Targets: []record.Target{{Name: "a"}, {Name: "b"}}}}
	cases := map[string]struct {
		promise record.Promise
		want    int // requests
	}{
		"every, of both":  {record.Promise{Kind: KindEvery, N: 100, Params: Params(EveryParams{Want: Conditions{Status: 200}})}, 100},
		"every, of one":   {record.Promise{Kind: KindEvery, N: 100, Params: Params(EveryParams{Want: Conditions{Status: 200}, Targets: []string{"a"}})}, 199},
		"attempts of one": {record.Promise{Kind: KindAttempts, N: 100, Params: Params(AttemptsParams{Exactly: 1, Targets: []string{"b"}})}, 200},
		"latency of a quarter": {record.Promise{Kind: KindLatency, N: 100, Params: Params(LatencyParams{
			Where: &Predicate{SlowerMs: 200}, Bounds: []QuantileBound{{Quantile: 500, AtMostMs: 300}},
		})}, 397},
		"table": {record.Promise{Kind: KindTable, N: 20, Params: Params(TableParams{PerRow: 50, Rows: []Row{{Target: "a"}, {Target: "b"}}})}, 100},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.promise.Stages = []string{"s"}
			watcher, err := Watch(&stage, []record.Promise{c.promise})
			assert.NoError(t, err)
			got := 0
			for decided := false; !decided && got < 5000; got++ {
				o := record.Observation{Seq: got, Target: got % 2, Status: 200, Class: record.ClassOK}
				if got%4 == 0 {
					o.Done = 250e6
				}
				decided = watcher.Observe(&o)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// Of a defect made on purpose nothing is to be learnt once it is seen; a promise
// that is not violated is watched as ever.
func TestAHuntEndsWithTheViolation(t *testing.T) {
	stage := record.Stage{Name: "s", Load: record.Load{Hits: 5000, Targets: []record.Target{{Name: "a"}, {Name: "b"}}}}
	whole := record.Promise{Kind: KindEvery, N: 100, Params: Params(EveryParams{Want: Conditions{Status: 200}})}
	cases := map[string]struct {
		promises []record.Promise
		oddFrom  int
		want     int // requests
	}{
		"every":               {[]record.Promise{whole}, 30, 31},
		"every, all is well":  {[]record.Promise{whole}, 5000, 100},
		"attempts":            {[]record.Promise{{Kind: KindAttempts, N: 100, Params: Params(AttemptsParams{Exactly: 1, Status: 200})}}, 30, 31},
		"table":               {[]record.Promise{{Kind: KindTable, N: 20, Params: Params(TableParams{PerRow: 50, Rows: []Row{{Target: "a", Want: Conditions{Status: 200}}, {Target: "b"}}})}}, 30, 31},
		"and one that counts": {[]record.Promise{whole, {Kind: KindServing, N: 60, Params: Params(ServingParams{AtLeast: 1})}}, 30, 60},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for i := range c.promises {
				c.promises[i].Stages = []string{"s"}
			}
			watcher, err := Hunt(&stage, c.promises)
			assert.NoError(t, err)
			got := 0
			for decided := false; !decided && got < 5000; got++ {
				o := record.Observation{Seq: got, Target: got % 2, Status: 200, Class: record.ClassOK}
				if got >= c.oddFrom {
					o.Status, o.Conn = 503, 1
				}
				decided = watcher.Observe(&o)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestConnectionsAreWatchedUntilTheyAreSpread(t *testing.T) {
	stage := record.Stage{Name: "s", Load: record.Load{Hits: 7000, Targets: []record.Target{{Name: "a"}}}}
	promise := plan(t, record.Promise{Kind: KindBalance, Alpha: 1e-6, Delta: 50, Params: Params(BalanceParams{Pods: 2})})
	random := picker(7, 500)
	watcher, err := Watch(&stage, []record.Promise{promise})
	assert.NoError(t, err)
	s := &scene{}
	index := s.addStage("s", 7000, func(o *record.Observation) { o.Conn = o.Seq; o.Pod = "p1"; random(o) })
	got := 0
	for got < 7000 && !watcher.Observe(&s.observations[got]) {
		got++
	}
	assert.Less(t, got, 4000, "half of the cap is plenty for a sound mesh")
	assert.Equal(t, 0, (got+1)%lookEvery)
	s.observations = s.observations[:got+1]
	h := &s.run.Stages[index].Health
	h.Sent, h.Completed, h.Stopped = got+1, got+1, true
	assert.Equal(t, record.Held, One(t.Context(), s, promise).Verdict, "Judge agrees with what stopped the load")
}

// Time since the sending bears a generator that is late by a little, since its
// lateness is no part of it; time since the intended instant does not.
func TestServiceTimeBearsALittleLateness(t *testing.T) {
	bounds := []QuantileBound{{Quantile: 990, AtMostMs: 5}}
	slow := func(measure string) ShareParams {
		return ShareParams{Of: Predicate{FasterMs: 5, Measure: measure}, PerMille: 1000, Label: "fast"}
	}
	cases := map[string]struct {
		promise record.Promise
		lag     time.Duration
		want    record.Outcome
	}{
		"service time, late by a little":         {record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: bounds, Measure: FromSent})}, 20 * time.Millisecond, record.Held},
		"service time, late":                     {record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: bounds, Measure: FromSent})}, 251 * time.Millisecond, record.Inconclusive},
		"latency, late by a little":              {record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: bounds})}, 20 * time.Millisecond, record.Inconclusive},
		"service time of what latency selects":   {record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: bounds, Measure: FromSent, Where: &Predicate{FasterMs: 9}})}, 20 * time.Millisecond, record.Inconclusive},
		"share by service time":                  {record.Promise{Kind: KindShare, Params: Params(slow(FromSent))}, 20 * time.Millisecond, record.Held},
		"share by service time, late":            {record.Promise{Kind: KindShare, Params: Params(slow(FromSent))}, 26 * time.Millisecond, record.Inconclusive},
		"share by latency":                       {record.Promise{Kind: KindShare, Params: Params(slow(""))}, 20 * time.Millisecond, record.Inconclusive},
		"share by latency, punctual":             {record.Promise{Kind: KindShare, Params: Params(slow(FromIntended))}, 9 * time.Millisecond, record.Held},
		"share by a measure that does not exist": {record.Promise{Kind: KindShare, Params: Params(slow("guessed"))}, 0, record.Inconclusive},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.promise.Beta = 1e-2
			c.promise.Delta = 10
			p := plan(t, c.promise)
			s := &scene{}
			index := s.addStage("s", p.N, nil)
			s.run.Stages[index].Health.LagP99 = c.lag
			v := One(t.Context(), s, p)
			assert.Equal(t, c.want, v.Verdict, v.Detail)
		})
	}
}

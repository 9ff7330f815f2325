package claim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// Whether a request was sent late is known before its outcome: what is left is
// a fair sample, and what is slow in it while the generator was held up itself
// says nothing of the mesh.
func TestLateRequestsAreLeftOutOfServiceTimes(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindLatency, Beta: 1e-2, Params: Params(LatencyParams{
		Bounds: []QuantileBound{{Quantile: 900, AtMostMs: 5}}, Measure: FromSent,
	})})
	build := func(late, slow int, starved float64) record.Verdict {
		s := new(scene)
		s.addStage("s", 4*p.N, func(o *record.Observation) {
			took := time.Millisecond
			if slow > 0 && o.Seq%slow == 0 {
				took = time.Second
			}
			if late > 0 && o.Seq%late == 1 {
				o.Sent += 30 * time.Millisecond
				took = time.Second // what was sent late may be slow as it likes
			}
			o.First, o.Done = o.Sent+took, o.Sent+took
		})
		s.run.Stages[0].Health.Starved = starved
		return s.judge(t, p)
	}
	assert.Equal(t, record.Held, build(0, 0, 0).Verdict)
	assert.Equal(t, record.Held, build(2, 0, 0).Verdict, "the half that was sent in time is enough")
	assert.Equal(t, record.Violated, build(0, 2, 0).Verdict)
	assert.Equal(t, record.Violated, build(200, 2, 0).Verdict, "one in two hundred is no excuse")
	for _, v := range []record.Verdict{build(8, 2, 0), build(0, 2, starving)} {
		assert.Equal(t, record.Inconclusive, v.Verdict)
		assert.Equal(t, record.Nature, v.Blame)
	}
}

// A request that never got a connection says nothing of the mesh where no
// processor was free; one that did says what it says on any machine.
func TestWhatNeverReachedTheMesh(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindEvery, Delta: 10, Beta: .05, Params: Params(EveryParams{Want: Conditions{Status: 200}})})
	build := func(conn int, starved float64) record.Verdict {
		s := new(scene)
		s.addStage("s", p.N, func(o *record.Observation) {
			if o.Seq == 9 {
				o.Class, o.Status, o.Conn = record.ClassTimeout, 0, conn
			}
		})
		s.run.Stages[0].Health.Starved = starved
		return s.judge(t, p)
	}
	assert.Equal(t, record.Violated, build(0, 0).Verdict, "on a machine with processors to spare somebody lost it")
	assert.Equal(t, record.Violated, build(3, starving).Verdict, "the mesh had it")
	excused := build(0, starving)
	assert.Equal(t, record.Inconclusive, excused.Verdict)
	assert.Equal(t, record.Nature, excused.Blame)
	assert.Contains(t, excused.Reason, "ended as timeout, want ok: none of them got as far as the mesh")
}

func TestALoadThatWasNotOffered(t *testing.T) {
	three := 3.0
	p := record.Promise{Kind: KindSeries, Stages: []string{"s"}, Params: Params(SeriesParams{Conditions: []SeriesCondition{
		{Series: "ready", Reach: &Range{AtLeast: &three}, WithinMs: 1000},
	}})}
	build := func(skipped int, replicas float64) record.Verdict {
		s := new(scene)
		s.addStage("s", 1000, nil)
		s.run.Stages[0].Health.Sent, s.run.Stages[0].Health.Skipped = 1000-skipped, skipped
		for i := range 20 {
			s.samples = append(s.samples, record.Sample{Series: "ready", At: epoch.Add(time.Duration(i) * time.Second), Value: replicas})
		}
		return s.judge(t, p)
	}
	assert.Equal(t, record.Held, build(900, 3).Verdict, "what is reached under less load is reached")
	assert.Equal(t, record.Violated, build(200, 2).Verdict)
	v := build(201, 2)
	assert.Equal(t, record.Inconclusive, v.Verdict)
	assert.Contains(t, v.Reason, "sent only 799 of 1000 requests")
}

// Shares of requests are tested as if each were drawn for itself; where each
// connection has its version, seven in ten may be luck.
func TestSharesOfStickyConnectionsAreNotBelieved(t *testing.T) {
	arms := SplitParams{Service: "cars", Arms: []Arm{{Version: "v1", Weight: 70}, {Version: "v2", Weight: 30}}, HeaderOnly: true}
	for name, p := range map[string]record.Promise{
		"split": {Kind: KindSplit, Params: Params(arms)},
		"share": {Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Version: "v1"}, PerMille: 700, Label: "v1"})},
		"collected": {Kind: KindShare, Params: Params(ShareParams{
			Of: Predicate{Mirrored: &Selector{Service: "copies"}}, PerMille: 700, Label: "copied",
		})},
	} {
		p.Delta = 50
		p = plan(t, p)
		build := func(pick func(o *record.Observation) bool) record.Verdict {
			s := new(scene)
			s.addStage("s", p.N, func(o *record.Observation) {
				o.Version = "v2"
				if pick(o) {
					o.Version = "v1"
				}
			})
			for _, o := range s.observations {
				if o.Version == "v1" {
					s.arrivals = append(s.arrivals, record.Arrival{Seq: o.Seq, Service: "copies"})
				}
			}
			return s.judge(t, p)
		}
		draw := rand.New(rand.NewPCG(7, 7))
		fair := build(func(*record.Observation) bool { return draw.Float64() < .7 })
		assert.Equal(t, record.Held, fair.Verdict, "%s: %s", name, fair.Detail)
		// 45 of 64 connections go to v1 for good, well mixed over the clients.
		sticky := build(func(o *record.Observation) bool { return (o.Client*8+o.Conn)*37%64 < 45 })
		assert.Equal(t, record.Inconclusive, sticky.Verdict, "%s: %s", name, sticky.Detail)
		assert.Equal(t, record.Mesh, sticky.Blame)
		assert.Contains(t, sticky.Reason, "connections differ more than independent draws would")
	}
}

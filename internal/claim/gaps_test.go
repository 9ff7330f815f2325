package claim

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// skip takes every hundredth request out of the record, as a generator that was
// told to skip what is late would have.
func (s *scene) skip() {
	kept := s.observations[:0]
	for _, o := range s.observations {
		if o.Seq%100 == 50 {
			s.run.Stages[0].Health.Skipped++
			continue
		}
		kept = append(kept, o)
	}
	s.observations = kept
	h := &s.run.Stages[0].Health
	h.Sent, h.Completed = h.Sent-h.Skipped, h.Completed-h.Skipped
}

func TestSomeClaimsDoNotMindSkippedRequests(t *testing.T) {
	for name, c := range map[string]struct {
		promise record.Promise
		answer  func(*record.Observation)
		want    record.Outcome
	}{
		"answers":           {record.Promise{Kind: KindEvery, Params: Params(EveryParams{Want: Conditions{Service: "cars"}, Answered: true})}, nil, record.Held},
		"wrong answers":     {record.Promise{Kind: KindEvery, Params: Params(EveryParams{Want: Conditions{Service: "vans"}, Answered: true})}, nil, record.Violated},
		"every request":     {record.Promise{Kind: KindEvery, Params: Params(EveryParams{Want: Conditions{Service: "cars"}})}, nil, record.Inconclusive},
		"a share":           {record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Version: "v2"}, PerMille: 300, Label: "v2"})}, marked(300, func(o *record.Observation) { o.Version = "v2" }), record.Held},
		"a wrong share":     {record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Version: "v2"}, PerMille: 300, Label: "v2"})}, marked(400, func(o *record.Observation) { o.Version = "v2" }), record.Violated},
		"who serves":        {record.Promise{Kind: KindServing, Params: Params(ServingParams{AtLeast: 2})}, nil, record.Held},
		"slow at least":     {record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Measure: FromSent, Bounds: []QuantileBound{{Quantile: 950, AtLeastMs: 1}}})}, nil, record.Held},
		"slow at most":      {record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Measure: FromSent, Bounds: []QuantileBound{{Quantile: 950, AtMostMs: 50}}})}, nil, record.Inconclusive},
		"a share read late": {record.Promise{Kind: KindShare, Params: Params(ShareParams{Of: Predicate{Sampled: true}, PerMille: 300, Label: "sampled"})}, nil, record.Inconclusive},
	} {
		p := plan(t, c.promise)
		s := new(scene)
		s.addStage("s", p.N+p.N/50+200, c.answer)
		s.skip()
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s %s", name, v.Detail, v.Reason)
	}
}

func TestOnlyAnswersAreHeldAgainstAConditionOnAnswers(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindEvery, Params: Params(EveryParams{Want: Conditions{Service: "cars"}, Answered: true})})
	for name, spoil := range map[string]func(*record.Observation){
		"no answer":    func(o *record.Observation) { o.Class, o.Service, o.Status = record.ClassTimeout, "", 0 },
		"server error": func(o *record.Observation) { o.Status, o.Service = 503, "" },
	} {
		s := new(scene)
		s.addStage("s", p.N+100, func(o *record.Observation) {
			if o.Seq%100 == 0 {
				spoil(o)
			}
		})
		v := s.judge(t, p)
		assert.NotEqual(t, record.Violated, v.Verdict, name)
		assert.Equal(t, p.N+100-(p.N+199)/100, v.N, name)
	}
}

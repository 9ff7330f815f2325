package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

func TestTheBoundaryOfADrain(t *testing.T) {
	const start = 10 * time.Second
	p := record.Promise{
		ID: "x", Kind: KindBoundary, Stages: []string{"short", "long"}, Beta: DefaultBeta,
		Params: Params(BoundaryParams{Window: "fault", AtLeastMs: 5000}),
	}
	cut := func(o *record.Observation) { o.Class = record.ClassEOF }
	for name, c := range map[string]struct {
		long   time.Duration
		change func(*record.Observation)
		want   record.Outcome
	}{
		"all end of themselves":      {8 * time.Second, nil, record.Held},
		"cut at the boundary":        {5200 * time.Millisecond, cut, record.Held},
		"cut too soon":               {4 * time.Second, cut, record.Violated},
		"an error of a server":       {time.Second, func(o *record.Observation) { o.Status = 503 }, record.Violated},
		"nothing was there for long": {time.Second, nil, record.Inconclusive},
	} {
		s := new(scene)
		for _, stage := range []string{"short", "long"} {
			s.addStage(stage, 4000, func(o *record.Observation) {
				// Of each stage one request is under way when the window begins: the
				// last that is sent before it.
				if o.Intended != start-interval {
					return
				}
				length := time.Second
				if stage == "long" {
					length = c.long
				}
				o.First, o.Done = start, start+length
				if c.change != nil && stage == "long" {
					c.change(o)
				}
			})
		}
		s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch.Add(start), End: epoch.Add(2 * start)}}
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Equal(t, 2, v.N, name)
	}
}

package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

func TestTheBoundaryOfADrain(t *testing.T) {
	const start = 10 * time.Second
	p := plan(t, record.Promise{Kind: KindBound, Delta: 750, Params: Params(BoundParams{Window: "fault", UnderWayMs: 5000})})
	assert.LessOrEqual(t, p.N, 8)
	cut := func(o *record.Observation) { o.Class = record.ClassEOF }
	for name, c := range map[string]struct {
		length time.Duration
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
		s.addStage("s", 4000, func(o *record.Observation) {
			// The last eight requests that are sent before the window begins are
			// under way then; the others take milliseconds, whatever becomes of them.
			before := start - o.Intended
			if before <= 0 || before > 8*interval {
				if o.Intended > start && c.change != nil {
					c.change(o)
				}
				return
			}
			o.First, o.Done = start, start+c.length
			if c.change != nil {
				c.change(o)
			}
		})
		s.run.Windows = []record.Window{{Spec: "spec", Name: "fault", Start: epoch.Add(start), End: epoch.Add(2 * start)}}
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Equal(t, 8, v.N, name)
	}
}

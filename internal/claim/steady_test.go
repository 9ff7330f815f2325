package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// A fault shows nothing where things failed before it.
func TestWithoutASteadyStateThereIsNoVerdict(t *testing.T) {
	for kind, params := range map[string]any{
		KindBound:    BoundParams{BudgetPPM: 100_000, Window: "fault", Baseline: "baseline"},
		KindRecovery: RecoveryParams{Window: "fault", FromStart: true, WithinMs: 2000, Baseline: "baseline"},
	} {
		p := plan(t, record.Promise{Kind: kind, Params: Params(params)})
		build := func(broken int) record.Verdict {
			s := new(scene)
			s.run.Windows = []record.Window{
				{Spec: "spec", Name: "baseline", Start: epoch, End: epoch.Add(4 * time.Second)},
				{Spec: "spec", Name: "fault", Start: epoch.Add(5 * time.Second), End: epoch.Add(15 * time.Second)},
			}
			s.addStage("s", 4000, func(o *record.Observation) {
				if o.Seq == broken {
					o.Class = record.ClassReset
				}
				if o.Seq == 799 {
					o.Done = 5*time.Second + interval
				}
			})
			return s.judge(t, p)
		}
		assert.Equal(t, record.Held, build(-1).Verdict, kind)
		v := build(10)
		assert.Equal(t, record.Inconclusive, v.Verdict, kind)
		assert.Contains(t, v.Reason, "steady state")
		assert.Contains(t, v.FirstOdd, "#10 ")
		assert.Equal(t, record.Held, build(900).Verdict, "%s: between the windows", kind)
		under := build(799) // sent in the baseline, and cut when the fault comes
		assert.Equal(t, record.Held, under.Verdict, "%s: %s", kind, under.Detail)
		p.Params = Params(map[string]any{"window": "fault", "withinMs": 1, "budgetPpm": 1, "baseline": "unheard of"})
		assert.Equal(t, record.Inconclusive, build(-1).Verdict, kind)
	}
}

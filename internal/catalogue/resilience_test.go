package catalogue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
)

func TestEveryExperimentCanBePlannedWithinTheBudget(t *testing.T) {
	experiments := catalogue.Resilience()
	plan, err := catalogue.Plan(catalogue.ScenariosOf(experiments), 1)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, promise := range plan.Promises {
		assert.False(t, seen[promise.ID], promise.ID)
		seen[promise.ID] = true
	}
	for _, e := range experiments {
		assert.GreaterOrEqual(t, len(e.Drives), 4, e.ID)
		assert.NotEmpty(t, e.Fault.Domain, e.ID)
		for _, piece := range e.Setup {
			_, err := manifests.Objects(piece.File)
			assert.NoError(t, err, e.ID)
		}
	}
}

// A window without errors can only be shown by so many requests, which the
// window has to hold at its arm's rate.
func TestWindowsAreLongEnoughForTheirPromises(t *testing.T) {
	experiments := catalogue.Resilience()
	plan, err := catalogue.Plan(catalogue.ScenariosOf(experiments), 1)
	require.NoError(t, err)
	need := map[string]int{}
	for _, promise := range plan.Promises {
		need[promise.ID] = promise.N
	}
	for _, e := range experiments {
		rate := map[string]float64{}
		for _, drive := range e.Drives {
			rate[drive.Name] = drive.Load.Rate
			assert.GreaterOrEqual(t, drive.Load.Hits, int(drive.Load.Rate*e.Expect.Seconds()))
		}
		length := map[string]time.Duration{
			chaos.WindowBaseline: e.Phases.Baseline, chaos.WindowAfter: e.Phases.After, chaos.WindowFault: e.Fault.Hold,
			chaos.WindowArrival: e.Phases.Arrival,
		}
		for _, promise := range e.Promises {
			if slices.Contains([]string{claim.KindBound, claim.KindShare, claim.KindLatency}, promise.Kind) && promise.Window != "" {
				sent := int(rate[promise.Stages[0]] * length[promise.Window].Seconds())
				assert.GreaterOrEqual(t, sent, need[promise.ID], promise.ID)
			}
		}
	}
}

func TestAScheduleIsAnExperimentWithAPromiseForEachStrike(t *testing.T) {
	strikes := catalogue.Strikes(7, 10*time.Minute)
	require.NotEmpty(t, strikes)
	assert.Equal(t, strikes, catalogue.Strikes(7, 10*time.Minute))
	e := catalogue.Nemesis(strikes)
	plan, err := catalogue.Plan([]catalogue.Scenario{e.Scenario}, 7)
	require.NoError(t, err)
	windows := map[string]bool{}
	for _, promise := range plan.Promises {
		windows[promise.Window] = true
	}
	for _, strike := range strikes {
		assert.True(t, windows[catalogue.StrikeWindow(strike)], strike.Spec.String())
	}
	assert.NotNil(t, catalogue.Nemesis(strikes[:1]).Promises)
}

package catalogue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
)

func promised(promises []record.Promise) map[string]bool {
	ids := map[string]bool{}
	for _, p := range promises {
		ids[p.ID] = true
	}
	return ids
}

func TestEveryExperimentWatchesTheInvariants(t *testing.T) {
	for _, e := range catalogue.Resilience() {
		ids := promised(e.Promises)
		for _, name := range []string{"restored", "private", "get/way", "get/baseline"} {
			assert.True(t, ids[e.ID+"/"+name], "%s of %s", name, e.ID)
		}
		for _, p := range e.Promises {
			assert.Contains(t, p.Requires, catalogue.FaultAbility(e.Fault), p.ID)
		}
	}
}

func TestStrikesKeepTheBudgetsOfTheirOwnExperiments(t *testing.T) {
	byFault := map[string]catalogue.Experiment{}
	for _, e := range catalogue.Grounded() {
		byFault[e.Fault.String()] = e
	}
	strikes := catalogue.Strikes(7, 10*time.Minute)
	require.NotEmpty(t, strikes)
	nemesis := catalogue.Nemesis(strikes)
	ids := promised(nemesis.Promises)
	for _, strike := range strikes {
		own, known := byFault[strike.Spec.String()]
		require.True(t, known, strike.Spec.String())
		assert.Equal(t, own.Settled, catalogue.Settles(strike.Spec))
		for _, p := range own.Promises {
			arm, name, _ := strings.Cut(strings.TrimPrefix(p.ID, own.ID+"/"), "/")
			if name == "cost" || name == "detect" || name == "recovery" {
				assert.True(t, ids[nemesis.ID+"/"+arm+"/"+catalogue.StrikeWindow(strike)+"/"+name], "%s of strike %d, %s", p.ID, strike.Number, strike.Spec)
			}
		}
	}
}

func TestTheAutoscalersPlateauIsTwiceItsWindow(t *testing.T) {
	all := catalogue.Elasticity()
	require.Len(t, all, 2)
	for _, s := range all {
		_, err := catalogue.Plan([]catalogue.Scenario{s}, 1)
		require.NoError(t, err, s.ID)
		assert.Contains(t, s.Labels, catalogue.Long)
	}
	assert.Greater(t, all[1].Drives[0].Scaling.Lasts, all[0].Drives[0].Scaling.Lasts)
}

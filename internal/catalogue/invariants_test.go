package catalogue_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
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
	require.Len(t, all, 3)
	for _, s := range all {
		_, err := catalogue.Plan([]catalogue.Scenario{s}, 1)
		require.NoError(t, err, s.ID)
	}
	for _, s := range all[1:] {
		assert.Contains(t, s.Labels, catalogue.Long)
	}
	assert.Greater(t, all[2].Drives[0].Scaling.Lasts, all[1].Drives[0].Scaling.Lasts)
}

// What is played without being asked for takes four minutes, and promises what
// makes the autoscaler's task.
func TestTheWayUpIsPlayedAlways(t *testing.T) {
	s := catalogue.Elasticity()[0]
	assert.NotContains(t, s.Labels, catalogue.Long)
	assert.LessOrEqual(t, s.Drives[0].Scaling.Lasts, 4*time.Minute)
	assert.InDelta(t, s.Drives[0].Scaling.Lasts.Seconds(), float64(s.Drives[0].Load.Hits)/s.Drives[0].Load.Rate, 1)
	ids := promised(s.Promises)
	for _, name := range []string{"scaled", "bounds", "unharmed", "serving", "calm", "able"} {
		assert.True(t, ids[s.ID+"/up/"+name], name)
	}
	assert.Len(t, s.Drives, 1)
	for _, p := range s.Promises {
		assert.Equal(t, []string{s.Drives[0].Name}, p.Stages, p.ID)
	}
}

// Nothing is said of a fault that was not there, but that everything is as it was.
func TestEveryPromiseOfAnExperimentPresupposesItsFault(t *testing.T) {
	for _, e := range append(catalogue.Resilience(), catalogue.Nemesis(catalogue.Strikes(7, 10*time.Minute))) {
		for _, p := range e.Promises {
			_, name, _ := strings.Cut(strings.TrimPrefix(p.ID, e.ID+"/"), "/")
			before := name == "baseline" || p.ID == e.ID+"/restored"
			assert.NotEqual(t, before, slices.ContainsFunc(p.Requires, func(r string) bool { return strings.HasPrefix(r, claim.Presupposing("")) }), p.ID)
		}
	}
}

// Whatever a fault breaks, there is a number beyond which it breaks too much.
func TestEveryFaultHasAFiniteBudget(t *testing.T) {
	for _, e := range catalogue.Resilience() {
		ids := promised(e.Promises)
		for _, arm := range []string{catalogue.ArmGet, catalogue.ArmPost, catalogue.ArmFresh, catalogue.ArmStream} {
			if e.ID == "resilience/boundary" && arm != catalogue.ArmGet {
				continue // its other arms are the sweep
			}
			assert.True(t, ids[e.ID+"/"+arm+"/cost"], "%s/%s", e.ID, arm)
		}
	}
	for _, id := range []string{"hang", "partition-client", "partition-backend", "backend-errors"} {
		i := slices.IndexFunc(catalogue.Resilience(), func(e catalogue.Experiment) bool { return e.ID == "resilience/"+id })
		assert.True(t, promised(catalogue.Resilience()[i].Promises)["resilience/"+id+"/get/detect"], id)
	}
}

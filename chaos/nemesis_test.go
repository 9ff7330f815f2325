package chaos_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos"
)

func candidates() []chaos.Spec {
	return []chaos.Spec{
		{Name: "kill", Target: "w", Domain: "waypoint", Hold: 5 * time.Second, Params: map[string]string{"grace": "0", "a": "b"}},
		{Name: "hang", Target: "w", Domain: "waypoint", Hold: 20 * time.Second},
		{Name: "istiod", Target: "i", Domain: "control", Hold: 30 * time.Second},
	}
}

func TestAScheduleIsAPureFunctionOfItsSeed(t *testing.T) {
	within := chaos.Constraints{Duration: 10 * time.Minute, Settle: 10 * time.Second, Jitter: 5 * time.Second, Apart: true}
	drawn := map[string]bool{}
	for seed := range uint64(50) {
		strikes := chaos.Schedule(seed, candidates(), within)
		require.Equal(t, strikes, chaos.Schedule(seed, candidates(), within))
		require.NotEmpty(t, strikes)
		drawn[chaos.Numbered(0, strikes)] = true
		for i, s := range strikes {
			assert.Equal(t, i+1, s.Number)
			assert.LessOrEqual(t, s.At+s.Spec.Hold+within.Settle, within.Duration)
			if i > 0 {
				before := strikes[i-1]
				assert.GreaterOrEqual(t, s.At, before.At+before.Spec.Hold+within.Settle)
				assert.NotEqual(t, before.Spec.Domain, s.Spec.Domain)
			}
		}
	}
	assert.Len(t, drawn, 50, "different seeds, different schedules")
	assert.Empty(t, chaos.Schedule(1, nil, within))
}

func TestAPlanIsNumbered(t *testing.T) {
	text := chaos.Numbered(7, []chaos.Strike{{Number: 1, At: 1500 * time.Millisecond, Spec: candidates()[0]}})
	assert.Equal(t, "seed 7: 1 faults\n  1  at    1.5 s  kill of w for 5s (a=b, grace=0)\n", text)
}

// The oracle is a set of culprits, all of which a schedule must hold to violate;
// the minimum is then exactly that set.
func TestShrinkingFindsTheCulprits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		all := make([]chaos.Strike, 1+random.IntN(24))
		for i := range all {
			all[i].Number = i + 1
		}
		culprits := map[int]bool{}
		for range 1 + random.IntN(4) {
			culprits[1+random.IntN(len(all))] = true
		}
		minimal, trials, err := chaos.Shrink(all, func(s []chaos.Strike) (bool, error) {
			found := 0
			for _, strike := range s {
				if culprits[strike.Number] {
					found++
				}
			}
			return found == len(culprits), nil
		})
		require.NoError(t, err)
		require.Len(t, minimal, len(culprits))
		for _, strike := range minimal {
			assert.True(t, culprits[strike.Number])
		}
		assert.True(t, slices.IsSortedFunc(minimal, func(a, b chaos.Strike) int { return a.Number - b.Number }))
		assert.LessOrEqual(t, trials, len(all)*len(all)+3*len(all), "ddmin's worst case")
	}
}

func TestATrialThatCannotBePlayedEndsTheSearch(t *testing.T) {
	all := make([]chaos.Strike, 4)
	minimal, _, err := chaos.Shrink(all, func([]chaos.Strike) (bool, error) { return false, errors.New("no cluster") })
	require.Error(t, err)
	assert.Len(t, minimal, 4)
}

// Whatever a load sends per second: nearly all of it failing for ten seconds is
// enough, half of it failing for ever is not.
func TestABurntBudgetIsNearlyEverythingForATime(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for name, c := range map[string]struct {
		perSecond int
		from      time.Duration // everything fails from here on
		share     int           // of a hundred, that fail then
		want      time.Duration // when it is burnt, 0 is never
	}{
		"all":               {154, 20 * time.Second, 100, 29 * time.Second},
		"few, but all":      {4, 20 * time.Second, 100, 29 * time.Second},
		"half":              {154, 20 * time.Second, 50, 0},
		"all from outset":   {154, 0, 100, 10 * time.Second},
		"hardly any at all": {1, 20 * time.Second, 100, 0},
	} {
		burn := chaos.Burn{For: 10 * time.Second, Share: 0.9, Least: 30}
		burnt := time.Duration(0)
		for i := range 60 * c.perSecond {
			at := time.Duration(i) * time.Second / time.Duration(c.perSecond)
			if burn.Add(start.Add(at), at >= c.from && i%100 < c.share) && burnt == 0 {
				burnt = at
			}
		}
		assert.InDelta(t, c.want.Seconds(), burnt.Seconds(), 1, name)
	}
}

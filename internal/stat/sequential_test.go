package stat

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func design(t testing.TB, perMille, delta int, alpha, beta float64) *Sequential {
	t.Helper()
	s, err := DesignSequential(Goal{Share: PerMille(perMille), Delta: delta, Alpha: alpha, Beta: beta})
	require.NoError(t, err)
	return s
}

func TestTheSplitDesign(t *testing.T) {
	s := design(t, 700, 50, 1e-6, 1e-3)
	assert.Equal(t, [3]int{5837, 3910, 4259}, [3]int{s.N, s.Lo, s.Hi})
	near(t, 4.9907991892e-7, s.FalseLow, 1e-9, "false low")
	near(t, 4.9170185644e-7, s.FalseHigh, 1e-9, "false high")
	near(t, 9.9351443541e-4, s.MissLow, 1e-9, "miss at .65")
	near(t, 4.3325980464e-4, s.MissHigh, 1e-9, "miss at .75")
	near(t, 0.228258651981, s.low.gain, 1e-10, "gain low")
	near(t, 0.675333348767, s.low.slope, 1e-10, "slope low")
	near(t, 0.251314428281, s.high.gain, 1e-10, "gain high")
	near(t, 0.725471904025, s.high.slope, 1e-10, "slope high")
	for n, want := range map[int][4]int{
		500: {271, 371, 332, 424}, 1270: {791, 891, 891, 982}, 2000: {1284, 1384, 1420, 1512}, 5837: {3875, 3976, 4204, 4296},
	} {
		assert.Equal(t, want, s.Lines(n), "lines at %d", n)
	}
}

func TestCharacteristicsOfTheSplit(t *testing.T) {
	s := design(t, 700, 50, 1e-6, 1e-3)
	for _, c := range []struct {
		perMille          int
		mean              float64
		median, p90       int
		held, lastLook    float64
		relative, forHeld float64
	}{
		{500, 381.5, 377, 454, 5e-48, 0, 1e-3, .2},
		{600, 887.8, 868, 1146, 8e-14, 1e-24, 1e-3, .1},
		{650, 2633.45540721, 2476, 3919, 9.9351443541e-4, .0073, 1e-10, 1e-9},
		{660, 3987, 3906, 5837, .0594, .186, 1e-3, 1e-3},
		{670, 5068.0, 5837, 5837, .5168, .634, 1e-4, 1e-3},
		{675, 4808.97295338, 5837, 5837, .8029842005, .603, 1e-10, 1e-9},
		{680, 4036, 4280, 5837, .9522, .373, 1e-3, 1e-3},
		{700, 1800.38280714, 1615, 2556, 1 - 9.9e-7, 4.0e-4, 1e-10, 1e-9},
		{720, 3720, 3557, 5837, .9519, .296, 1e-3, 1e-3},
		{730, 4964.9, 5837, 5837, .4872, .606, 1e-4, 1e-3},
		{750, 2468.25219688, 2323, 3634, 4.3325980464e-4, .0035, 1e-10, 1e-9},
		{800, 813.4, 796, 1015, 1e-16, 3e-33, 1e-3, .5},
	} {
		at := s.At(PerMille(c.perMille))
		near(t, c.mean, at.Mean, c.relative, "mean")
		assert.Equal(t, [2]int{c.median, c.p90}, [2]int{at.Median, at.P90}, "share %d", c.perMille)
		near(t, c.held, at.Held, c.forHeld, "held")
		assert.InDelta(t, c.lastLook, at.LastLook, .05*c.lastLook+1e-15, "last look")
		assert.InDelta(t, 1, at.Low+at.Held+at.High, 1e-9)
	}
}

func TestASoundMeshDecidesEarly(t *testing.T) {
	for _, perMille := range []int{500, 700, 900} {
		fixed, err := DesignFixed(Goal{Share: PerMille(perMille), Delta: 50, Alpha: 1e-6, Beta: 1e-3})
		require.NoError(t, err)
		s := design(t, perMille, 50, 1e-6, 1e-3)
		median := s.At(PerMille(perMille)).Median
		assert.LessOrEqual(t, float64(median), .305*float64(fixed.N), "share %d", perMille)
	}
	s := design(t, 700, 50, 1e-6, 1e-3)
	first := func(hit func(n int) bool) int {
		trial := s.Begin()
		for n := 1; trial.Add(hit(n)) == Open; n++ {
		}
		return trial.N
	}
	assert.Equal(t, 99, first(func(int) bool { return false }))
	assert.Equal(t, 221, first(func(int) bool { return true }))
	for n := 1; n <= 1270; n++ { // the held lines open at 1270
		lines := s.Lines(n)
		assert.Equal(t, n == 1270, lines[1] <= lines[2], "request %d", n)
	}
}

func TestOtherDesigns(t *testing.T) {
	type row struct{ n, lo, hi, median, mean, below, above int }
	for key, want := range map[[2]int][2]row{
		{900, 50}: {{2873, 2503, 2662, 700, 789, 1173, 862}, {2483, 2167, 2297, 700, 789, 946, 700}},
		{500, 50}: {{6655, 3124, 3531, 1920, 2141, 2857, 2857}, {5736, 2701, 3035, 1920, 2140, 2299, 2299}},
		{990, 50}: {{733, 709, 733, 218, 228, 250, 0}, {643, 623, 643, 218, 228, 204, 0}},
		{700, 30}: {{15991, 10903, 11482, 4488, 5005, 6794, 6538}, {13788, 9413, 9888, 4488, 5003, 5464, 5260}},
		{900, 30}: {{7488, 6607, 6866, 1929, 2166, 3106, 2590}, {6475, 5719, 5931, 1929, 2165, 2499, 2089}},
		{500, 30}: {{18532, 8926, 9606, 5343, 5955, 7938, 7938}, {15972, 7707, 8265, 5343, 5952, 6382, 6382}},
	} {
		for i, alpha := range []float64{1e-6, 1e-3 / 60} {
			s := design(t, key[0], key[1], alpha, 1e-3)
			at := s.At(s.Goal.Share)
			got := row{s.N, s.Lo, s.Hi, at.Median, int(math.Round(at.Mean)), s.At(PerMille(key[0] - key[1])).Median, 0}
			if key[0]+key[1] <= 1000 {
				got.above = s.At(PerMille(key[0] + key[1])).Median
			}
			assert.Equal(t, want[i], got, "%v alpha %g", key, alpha)
		}
	}
	s := design(t, 700, 50, 1e-3/60, 1e-3)
	assert.Equal(t, [4]int{5042, 3385, 3672, 1615}, [4]int{s.N, s.Lo, s.Hi, s.At(PerMille(700)).Median})
	assert.Equal(t, 1994, s.At(PerMille(650)).Median)
}

func TestSharesMirror(t *testing.T) {
	for _, p := range []int{50, 100, 300, 420} {
		a, b := design(t, p, 50, 1e-4, 1e-2), design(t, 1000-p, 50, 1e-4, 1e-2)
		assert.Equal(t, a.N, b.N)
		assert.Equal(t, [2]int{b.N - b.Hi, b.N - b.Lo}, [2]int{a.Lo, a.Hi}, "share %d", p)
	}
}

func TestSmallDesignAgainstExactRationals(t *testing.T) {
	s := design(t, 500, 200, .05, .1)
	assert.Equal(t, [3]int{68, 26, 42}, [3]int{s.N, s.Lo, s.Hi})
	near(t, 0.0216587382343129, s.FalseLow, 1e-13, "low at .5")
	near(t, 0.0216587382343129, s.FalseHigh, 1e-13, "high at .5")
	half := s.At(PerMille(500))
	near(t, 51.5128628452612, half.Mean, 1e-13, "mean at .5")
	assert.Equal(t, 49, half.Median)
	low := s.At(PerMille(300))
	near(t, 0.909992125012026, low.Low, 1e-13, "low at .3")
	near(t, 5.99883755157e-7, low.High, 1e-11, "high at .3")
	near(t, 0.0900072751042193, low.Held, 1e-13, "held at .3")
	near(t, 46.0486478674765, low.Mean, 1e-13, "mean at .3")
	near(t, 0.346624095442542, s.At(PerMille(400)).Low, 1e-13, "low at .4")
	near(t, 0.653197374744074, s.At(PerMille(400)).Held, 1e-13, "held at .4")
	near(t, 56.7159109968204, s.At(PerMille(400)).Mean, 1e-13, "mean at .4")
}

// TestLatticeCountsPaths walks every path of a tiny design in rationals.
func TestLatticeCountsPaths(t *testing.T) {
	s := design(t, 500, 400, .2, .2)
	require.LessOrEqual(t, s.N, 20)
	p := big.NewRat(3, 10)
	q := new(big.Rat).Sub(big.NewRat(1, 1), p)
	ends := map[Decision]*big.Rat{Low: new(big.Rat), Held: new(big.Rat), High: new(big.Rat)}
	var walk func(n, hits int, mass *big.Rat)
	walk = func(n, hits int, mass *big.Rat) {
		if n > 0 {
			if d := s.Decide(n, hits); d != Open {
				ends[d].Add(ends[d], mass)
				return
			}
		}
		walk(n+1, hits+1, new(big.Rat).Mul(mass, p))
		walk(n+1, hits, new(big.Rat).Mul(mass, q))
	}
	walk(0, 0, big.NewRat(1, 1))
	at := s.At(Share{3, 10})
	for d, got := range map[Decision]float64{Low: at.Low, Held: at.Held, High: at.High} {
		want, _ := ends[d].Float64()
		assert.InDelta(t, want, got, 1e-14, d.String())
	}
}

// TestSimulationAgrees runs real trials at loose levels, where a simulation can
// see errors at all.
func TestSimulationAgrees(t *testing.T) {
	const trials = 5_000
	s := design(t, 700, 150, .05, .1)
	random := rand.New(rand.NewPCG(1, 2))
	for _, perMille := range []int{550, 700, 850} {
		want, ends, total := s.At(PerMille(perMille)), map[Decision]int{}, 0
		for range trials {
			trial := s.Begin()
			for trial.Add(random.Float64() < float64(perMille)/1000) == Open {
			}
			ends[trial.Decision]++
			total += trial.N
		}
		for d, p := range map[Decision]float64{Low: want.Low, Held: want.Held, High: want.High} {
			assert.InDelta(t, p, float64(ends[d])/trials, 4.5*math.Sqrt(p*(1-p)/trials)+1e-4, "%d %s", perMille, d)
		}
		assert.InEpsilon(t, want.Mean, float64(total)/trials, .03)
	}
}

// TestAnytimePIsValid: under the declared share, a p-value that may be read at
// any look falls below a level no more often than the level says.
func TestAnytimePIsValid(t *testing.T) {
	const trials, level = 5_000, .1
	s := design(t, 500, 200, .05, .1)
	random := rand.New(rand.NewPCG(3, 4))
	below := 0
	for range trials {
		trial := s.Begin()
		for trial.Add(random.Float64() < .5) == Open {
		}
		if trial.P() <= level {
			below++
		}
	}
	assert.Less(t, float64(below)/trials, level)
}

func TestTrialStopsAtItsDecision(t *testing.T) {
	s := design(t, 500, 200, .05, .1)
	trial := s.Begin()
	for trial.Add(false) == Open {
	}
	n := trial.N
	assert.Equal(t, Low, trial.Add(true))
	assert.Equal(t, n, trial.N)
	lo, hi := s.Band(n)
	assert.Positive(t, lo)
	assert.LessOrEqual(t, hi, n)
	assert.LessOrEqual(t, trial.P(), .05)
	assert.Panics(t, func() { s.Decide(s.N+1, 3) })
}

func TestDeviationToTheEdge(t *testing.T) {
	s := design(t, 50, 50, 1e-6, 1e-3) // 5 % that may not be 0 %
	assert.LessOrEqual(t, s.FalseLow+s.FalseHigh, 1e-6)
	assert.LessOrEqual(t, s.At(PerMille(0)).Held, 1e-3)
	assert.InDelta(t, 1, s.At(PerMille(0)).Low, 1e-3)
}

func BenchmarkDesignSequential(b *testing.B) {
	for b.Loop() {
		design(b, 500, 30, 1e-6, 1e-3)
	}
}

package stat

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThreeArms(t *testing.T) {
	// 60/30/10 at 1e-6: one binomial per arm at a third of alpha.
	boxes := make([]Box, 3)
	want := []Box{{3188, 3563}, {1515, 1865}, {451, 681}}
	at := func(n int) []Box {
		for i, p := range []int{600, 300, 100} {
			f := fixedAt(Goal{Share: PerMille(p), Delta: 50, Alpha: 1e-6 / 3, Beta: 1e-3}, n)
			boxes[i] = Box{f.Lo, f.Hi}
		}
		return boxes
	}
	swapped := []Share{PerMille(550), PerMille(350), PerMille(100)}
	assert.Equal(t, want, at(5628))
	assert.LessOrEqual(t, AllWithin(5628, swapped, at(5628)), 1e-3)
	assert.Greater(t, AllWithin(5627, swapped, at(5627)), 1e-3)
	spread := []Share{PerMille(550), {325, 1000}, {125, 1000}}
	assert.LessOrEqual(t, AllWithin(6267, spread, at(6267)), 1e-3)
	assert.Greater(t, AllWithin(6266, spread, at(6266)), 1e-3)
}

func TestAllWithinEverything(t *testing.T) {
	shares := []Share{PerMille(600), PerMille(300), PerMille(100)}
	all := []Box{{0, 20}, {0, 20}, {0, 20}}
	assert.InDelta(t, 1, AllWithin(20, shares, all), 1e-12)
	one := []Box{{12, 12}, {6, 6}, {2, 2}}
	near(t, 0.0559715963692, AllWithin(20, shares, one), 1e-10, "one cell")
}

func TestExactMultinomial(t *testing.T) {
	shares := []Share{PerMille(600), PerMille(300), PerMille(100)}
	p, err := MultinomialExact([]int{7, 9, 4}, shares)
	require.NoError(t, err)
	near(t, 0.0417199998582, p, 1e-9, "p")
	p, err = MultinomialExact([]int{12, 6, 2}, shares)
	require.NoError(t, err)
	assert.InDelta(t, 1, p, 1e-9)
	_, err = MultinomialExact([]int{3000, 3000, 3000, 3000}, append(shares, PerMille(0)))
	require.ErrorIs(t, err, ErrGoal)
}

func TestRunsDistribution(t *testing.T) {
	r := Runs{Ones: 3913, Zeros: 1677}
	assert.LessOrEqual(t, r.AtMost(2193), 5e-7)
	assert.Greater(t, r.AtMost(2194), 5e-7)
	assert.LessOrEqual(t, r.AtLeast(2502), 5e-7)
	assert.Greater(t, r.AtLeast(2501), 5e-7)
	for _, r := range []Runs{{1, 1}, {5, 0}, {3, 7}, {8, 8}, {0, 0}} {
		assert.InDelta(t, 1, r.AtMost(r.most()), 1e-12, "%v", r)
		assert.InDelta(t, 1, r.AtLeast(r.least()), 1e-12, "%v", r)
	}
}

// TestRunsAgainstEveryOrder counts all arrangements.
func TestRunsAgainstEveryOrder(t *testing.T) {
	const n = 12
	counts, totals := map[[2]int]int{}, map[int]int{}
	for bits := range 1 << n {
		ones, runs, last := 0, 0, -1
		for i := range n {
			bit := bits >> i & 1
			ones += bit
			if bit != last {
				runs++
			}
			last = bit
		}
		counts[[2]int{ones, runs}]++
		totals[ones]++
	}
	for key, count := range counts {
		want := float64(count) / float64(totals[key[0]])
		near(t, want, Runs{key[0], n - key[0]}.Exactly(key[1]), 1e-10, "runs")
	}
}

// TestWeightedRoundRobinIsSeen: smooth weighted round robin has the right share
// for ever and is no random pick.
func TestWeightedRoundRobinIsSeen(t *testing.T) {
	picks := []byte("ABAAABAABA")
	p := func(n int) float64 {
		runs, last, ones := 0, byte(0), 0
		for i := range n {
			pick := picks[i%10]
			if pick != last {
				runs++
			}
			if pick == 'A' {
				ones++
			}
			last = pick
		}
		return Runs{ones, n - ones}.AtLeast(runs)
	}
	near(t, 1.08e-6, p(100), 5e-3, "after 100")
	near(t, 2.85e-7, p(110), 5e-3, "after 110")
	near(t, 1.83e-12, p(200), 5e-3, "after 200")
}

func TestDispersion(t *testing.T) {
	even := Disperse([]Group{{140, 200}, {140, 200}, {140, 200}})
	assert.True(t, even.Ready)
	assert.Zero(t, even.D)
	assert.Equal(t, 1.0, even.Over)
	assert.Zero(t, even.Under)
	// Two groups: D is the square of a normal.
	two := Disperse([]Group{{70, 100}, {50, 100}})
	near(t, 8.333333333, two.D, 1e-9, "D")
	near(t, math.Erfc(math.Sqrt(two.D/2)), two.Over, 1e-9, "over")
	assert.False(t, Disperse([]Group{{6, 10}, {3, 10}}).Ready)
	assert.False(t, Disperse([]Group{{70, 100}}).Ready)
	assert.False(t, Disperse([]Group{{100, 100}, {100, 100}}).Ready)
	assert.Equal(t, 2, Disperse([]Group{{70, 100}, {}, {50, 100}}).Groups)
}

// TestDispersionLevels checks by simulation, at levels where one can, that the
// approximation is not far off at five expected misses per group and more.
func TestDispersionLevels(t *testing.T) {
	const trials, level = 20_000, .01
	random := rand.New(rand.NewPCG(5, 6))
	over, under := 0, 0
	for range trials {
		groups := make([]Group, 17)
		for i := range groups {
			groups[i].Size = 20
			for range groups[i].Size {
				if random.Float64() < .7 {
					groups[i].Hits++
				}
			}
		}
		d := Disperse(groups)
		over += int(indicator(d.Over <= level))
		under += int(indicator(d.Under <= level))
	}
	assert.InDelta(t, level, float64(over)/trials, level)
	assert.InDelta(t, level, float64(under)/trials, level)
}

func TestQuantileRanks(t *testing.T) {
	for _, c := range []struct {
		quantile, n int
		alpha       float64
		s, r        int
	}{
		{500, 1000, .05, 474, 527},
		{500, 1000, .001, 451, 550},
		{500, 5000, .05, 2442, 2559},
		{500, 5000, .001, 2391, 2610},
		{900, 1000, .05, 884, 916},
		{900, 1000, .001, 870, 929},
		{900, 5000, .05, 4465, 4536},
		{900, 5000, .001, 4433, 4565},
		{990, 1000, .05, 985, 996},
		{990, 1000, .001, 979, 999},
		{990, 5000, .05, 4938, 4962},
		{990, 5000, .001, 4927, 4971},
	} {
		s, ok := LowerRank(c.n, c.quantile, c.alpha)
		require.True(t, ok)
		r, ok := UpperRank(c.n, c.quantile, c.alpha)
		require.True(t, ok)
		assert.Equal(t, [2]int{c.s, c.r}, [2]int{s, r}, "%+v", c)
	}
	for quantile, want := range map[int][2][5]int{
		500: {{5, 8, 11, 18, 30}, {10, 14, 18, 27, 41}},
		900: {{29, 46, 61, 103, 167}, {66, 89, 108, 159, 235}},
		990: {{299, 473, 628, 1049, 1693}, {688, 920, 1119, 1640, 2407}},
	} {
		for i, alpha := range []float64{.05, .001} {
			for k, j := range []int{0, 1, 2, 5, 10} {
				assert.Equal(t, want[i][k], SampleForUpper(quantile, j, alpha), "q %d alpha %g j %d", quantile, alpha, j)
			}
		}
	}
	_, ok := UpperRank(298, 990, .05)
	assert.False(t, ok)
	_, ok = LowerRank(3, 500, .05)
	assert.False(t, ok)
	_, ok = UpperRank(0, 500, .05)
	assert.False(t, ok)
}

func TestRankSum(t *testing.T) {
	r := CompareRanks([]float64{1, 1, 2, 3, 3}, []float64{2, 3, 3, 4, 4, 5})
	assert.Equal(t, 4.5, r.U)
	near(t, 28.2272727, r.Variance, 1e-8, "variance")
	assert.True(t, r.Exact)
	near(t, 0.0519480519, r.P, 1e-8, "p")
	assert.Equal(t, 1.0, CompareRanks(nil, []float64{1}).P)
	random := rand.New(rand.NewPCG(7, 8))
	a, b := make([]float64, 400), make([]float64, 400)
	for i := range a {
		a[i], b[i] = random.NormFloat64(), random.NormFloat64()+.5
	}
	far := CompareRanks(a, b)
	assert.False(t, far.Exact)
	assert.Less(t, far.P, 1e-6)
	assert.Equal(t, 1.0, CompareRanks(make([]float64, 300), make([]float64, 300)).P)
}

func TestBudget(t *testing.T) {
	parts, err := Divide(1e-3, []float64{1, 2, 1})
	require.NoError(t, err)
	assert.Equal(t, []float64{2.5e-4, 5e-4, 2.5e-4}, parts)
	_, err = Divide(1e-3, []float64{1, 0})
	require.ErrorIs(t, err, ErrGoal)
	assert.Equal(t, []bool{true, false, true}, Holm([]float64{.01, .2, .02}, .05))
	assert.Equal(t, []bool{false, false}, Holm([]float64{.03, .03}, .05))
	assert.Equal(t, []bool{true, false}, Holm([]float64{.02, 1}, .05))
	assert.Empty(t, Holm(nil, .05))
}

func TestChangePoints(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	series := make([]float64, 60)
	for i := range series {
		series[i] = random.NormFloat64()
		if i >= 20 {
			series[i] += 6
		}
		if i >= 40 {
			series[i] -= 10
		}
	}
	find := func() []Change { return Changes(series, Detection{}, rand.New(rand.NewPCG(1, 1))) }
	found := find()
	require.Len(t, found, 2)
	assert.InDelta(t, 20, found[0].At, 1)
	assert.InDelta(t, 40, found[1].At, 1)
	assert.Equal(t, .005, found[0].P)
	assert.Equal(t, found, find(), "a seed gives one answer")
	assert.Empty(t, Changes(series[:20], Detection{Level: .005}, rand.New(rand.NewPCG(1, 1))))
	assert.Empty(t, Changes(series[:7], Detection{}, rand.New(rand.NewPCG(1, 1))))
	assert.Empty(t, Changes(make([]float64, 30), Detection{}, rand.New(rand.NewPCG(1, 1))))
}

// TestEnergyAgainstItsDefinition sums the three means directly.
func TestEnergyAgainstItsDefinition(t *testing.T) {
	part := []float64{1, 4, 2, 9, 8, 7.5, 3}
	mean := func(a, b []float64, same bool) float64 {
		sum, pairs := 0.0, 0.0
		for i, x := range a {
			for j, y := range b {
				if !same || i < j {
					sum, pairs = sum+math.Abs(x-y), pairs+1
				}
			}
		}
		return sum / pairs
	}
	x, y := part[:3], part[3:6]
	want := 9.0 / 6 * (2*mean(x, y, false) - mean(x, x, true) - mean(y, y, true))
	assert.InDelta(t, want, distances(part).energy(3, 6), 1e-12)
}

package stat

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// near holds a value against a reference with as many digits as it is printed
// with.
func near(t *testing.T, want, got, relative float64, what string) {
	t.Helper()
	assert.InEpsilon(t, want, got, relative, what)
}

// The references were computed in 40-digit arithmetic, the large designs in 80
// bit and the small one in exact rationals, by other programs than this one.
func TestBinomialTailsAgreeWithFortyDigits(t *testing.T) {
	for name, c := range map[string]struct{ want, got float64 }{
		"P(X=70|100,.7)":          {0.0867838647534, Exactly(70, 100, .7)},
		"P(X=3913|5590,.7)":       {0.0116431410548, Exactly(3913, 5590, .7)},
		"P(X<=3743|5590,.7)":      {4.69068059851e-7, AtMost(3743, 5590, .7)},
		"P(X<=3744|5590,.7)":      {5.42623740415e-7, AtMost(3744, 5590, .7)},
		"P(X>=4080|5590,.7)":      {4.63741799534e-7, AtLeast(4080, 5590, .7)},
		"P(X>=4079|5590,.7)":      {5.39536373259e-7, AtLeast(4079, 5590, .7)},
		"within .65":              {9.77245772574e-4, Within(3744, 4079, 5590, .65)},
		"within .75":              {2.67292050035e-4, Within(3744, 4079, 5590, .75)},
		"P(X<=3639|5590,.7)":      {1.74668122255e-15, AtMost(3639, 5590, .7)},
		"two-sided 3639":          {3.49336244509e-15, TwoSided(3639, 5590, .7)},
		"P(X<=3729|5569,.7)":      {4.96148527516e-7, AtMost(3729, 5569, .7)},
		"P(X>=4065|5569,.7)":      {4.62601333774e-7, AtLeast(4065, 5569, .7)},
		"within 5569 .65":         {9.90632420023e-4, Within(3730, 4064, 5569, .65)},
		"P(X>=611|1000,.5)":       {1.13342432582e-12, AtLeast(611, 1000, .5)},
		"P(X>=612|1000,.5)":       {7.15374021298e-13, AtLeast(612, 1000, .5)},
		"P(X>=700|1000,.5)":       {8.83283900398e-38, AtLeast(700, 1000, .5)},
		"P(X<=35|100,.7)":         {5.51028450034e-13, AtMost(35, 100, .7)},
		"P(X<=30|100,.7)":         {2.01914180576e-16, AtMost(30, 100, .7)},
		"P(X>=10|5590,1e-4)":      {4.90928194214e-10, AtLeast(10, 5590, 1e-4)},
		"P(X<=667|691,.99)":       {2.52429043739e-7, AtMost(667, 691, .99)},
		"multinomial (12,6,2)":    {0.0559715963692, Multinomial([]int{12, 6, 2}, []Share{PerMille(600), PerMille(300), PerMille(100)})},
		"runs 14/6, P(R>=13)":     {0.0442724458204, Runs{14, 6}.AtLeast(13)},
		"runs 14/6, P(R<=4)":      {0.00386996904, Runs{14, 6}.AtMost(4)},
		"Fisher 70/100 v 50/100":  {0.005937341166, Fisher(Group{70, 100}, Group{50, 100})},
		"Fisher 49/50 v 42/50":    {0.03085782297, Fisher(Group{49, 50}, Group{42, 50})},
		"Fisher 3913 v 3639/5590": {3.457107978e-8, Fisher(Group{3913, 5590}, Group{3639, 5590})},
		"all but one of 6905":     {9.99300720198e-4, AtMost(0, 6905, .001)},
		"all but one of 6904":     {0.00100030102122, AtMost(0, 6904, .001)},
	} {
		near(t, c.want, c.got, 1e-9, name)
	}
	// At a million trials nine digits are right.
	near(t, 4.5234589917e-14, AtLeast(1245, 1_000_000, .001), 1e-8, "P(X>=1245|1e6,.001)")
}

func TestTailsAtTheirEdges(t *testing.T) {
	assert.Equal(t, 1.0, AtLeast(0, 10, 0))
	assert.Zero(t, AtLeast(1, 10, 0))
	assert.Equal(t, 1.0, AtLeast(10, 10, 1))
	assert.Zero(t, AtLeast(11, 10, .5))
	assert.Equal(t, 1.0, AtMost(10, 10, .5))
	assert.Zero(t, AtMost(-1, 10, .5))
	assert.Zero(t, Within(3, 2, 10, .5))
	assert.Equal(t, 1.0, Exactly(0, 5, 0))
	assert.Equal(t, 1.0, Exactly(5, 5, 1))
	assert.Zero(t, Exactly(6, 5, .5))
}

func TestClopperPearsonAgreesWithFortyDigits(t *testing.T) {
	for _, c := range []struct {
		x, n         int
		alpha        float64
		lower, upper float64
		relative     float64
	}{
		{70, 100, .05, 0.60018532382, 0.78759357951, 1e-10},
		{3913, 5590, 1e-6, 0.669375055033, 0.729456174791, 1e-10},
		{3639, 5590, 1e-6, 0.619300982153, 0.6817846224, 1e-9},
		{7, 10, .05, 0.3475471499, 0.9332604888, 1e-9},
		{2, 3000, 1e-3, 1.065539e-5, 0.004010410, 1e-6},
		{5589, 5590, 1e-3, 0.998212766791, 0.999999910532, 1e-11},
	} {
		near(t, c.lower, RateLower(c.x, c.n, c.alpha/2), c.relative, "lower")
		near(t, c.upper, RateUpper(c.x, c.n, c.alpha/2), c.relative, "upper")
	}
	assert.Zero(t, RateLower(0, 100, .025))
	assert.Equal(t, 1.0, RateUpper(100, 100, .025))
	near(t, 0.0362166926452, RateUpper(0, 100, .025), 1e-10, "none, two-sided")
	near(t, 0.0295130496, RateUpper(0, 100, .05), 1e-8, "none, one-sided")
	// No failure in n: 1 - alpha^(1/n).
	near(t, 1-math.Pow(.001, 1.0/6905), RateUpper(0, 6905, .001), 1e-9, "closed form")
}

func TestClopperPearsonInvertsTheTails(t *testing.T) {
	for n := 1; n <= 60; n += 7 {
		for x := 1; x < n; x++ {
			near(t, .01, AtLeast(x, n, RateLower(x, n, .01)), 1e-8, "lower")
			near(t, .01, AtMost(x, n, RateUpper(x, n, .01)), 1e-8, "upper")
		}
	}
}

func TestFixedSamples(t *testing.T) {
	type size struct{ n, lo, hi, settled int }
	table := map[[2]int][3]size{ // delta and share per mille; alpha 1e-3, 1e-5, 1e-6
		{50, 700}: {{3566, 2406, 2586, 3596}, {4939, 3314, 3598, 4954}, {5569, 3730, 4064, 5602}},
		{50, 900}: {{1766, 1547, 1630, 1788}, {2419, 2110, 2240, 2448}, {2728, 2376, 2529, 2757}},
		{50, 500}: {{4063, 1927, 2136, 4088}, {5618, 2644, 2974, 5654}, {6355, 2983, 3372, 6378}},
		{50, 300}: {{3566, 980, 1160, 3596}, {4939, 1341, 1625, 4954}, {5569, 1505, 1839, 5602}},
		{50, 100}: {{1766, 136, 219, 1788}, {2419, 179, 309, 2448}, {2728, 199, 352, 2757}},
		{50, 990}: {{467, 454, 467, 490}, {603, 584, 603, 625}, {691, 668, 691, 691}},
		{30, 700}: {{9766, 6687, 6985, 9816}, {13497, 9212, 9682, 13537}, {15244, 10393, 10946, 15297}},
		{30, 900}: {{4583, 4057, 4190, 4641}, {6308, 5570, 5780, 6365}, {7117, 6279, 6526, 7165}},
		{30, 500}: {{11303, 5477, 5826, 11346}, {15652, 7550, 8102, 15693}, {17692, 8521, 9171, 17731}},
		{30, 300}: {{9766, 2781, 3079, 9816}, {13497, 3815, 4285, 13537}, {15244, 4298, 4851, 15297}},
		{30, 100}: {{4583, 393, 526, 4641}, {6308, 528, 738, 6365}, {7117, 591, 838, 7165}},
		{30, 990}: {{976, 955, 976, 1009}, {1330, 1298, 1330, 1362}, {1487, 1450, 1487, 1518}},
	}
	for key, sizes := range table {
		for i, alpha := range []float64{1e-3, 1e-5, 1e-6} {
			f, err := DesignFixed(Goal{Share: PerMille(key[1]), Delta: key[0], Alpha: alpha, Beta: 1e-3})
			require.NoError(t, err)
			assert.Equal(t, size{f.N, f.Lo, f.Hi, f.SettledFrom()}, sizes[i], "%v alpha %g", key, alpha)
			assert.LessOrEqual(t, f.FalseLow, alpha/2)
			assert.LessOrEqual(t, f.FalseHigh, alpha/2)
			assert.True(t, f.Holds(f.Lo) && f.Holds(f.Hi) && !f.Holds(f.Lo-1) && !f.Holds(f.Hi+1))
		}
	}
}

func TestPowerIsASawTooth(t *testing.T) {
	g := Goal{Share: PerMille(700), Delta: 50, Alpha: 1e-6, Beta: 1e-3}
	for n, want := range map[int]float64{5569: 9.906e-4, 5570: 1.0549e-3, 5601: 1.0016e-3} {
		low, high := fixedAt(g, n).misses()
		near(t, want, max(low, high), 1e-4, "miss")
	}
	familiar := fixedAt(g, 5590).withErrors()
	assert.Equal(t, [2]int{3744, 4079}, [2]int{familiar.Lo, familiar.Hi})
	near(t, 9.328e-7, familiar.FalseLow+familiar.FalseHigh, 1e-4, "false alarm")
}

func TestExpensesOfManyChecks(t *testing.T) {
	for checks, n := range map[float64]int{1: 3566, 10: 4267, 60: 4783, 600: 5431, 6000: 6054} {
		f, err := DesignFixed(Goal{Share: PerMille(700), Delta: 50, Alpha: 1e-3 / checks, Beta: 1e-3})
		require.NoError(t, err)
		assert.Equal(t, n, f.N, "%g checks", checks)
	}
	// Half budgets on both errors cap the sequential test without recursion.
	f, err := DesignFixed(Goal{Share: PerMille(700), Delta: 50, Alpha: .5e-6, Beta: .5e-3})
	require.NoError(t, err)
	assert.Equal(t, [3]int{6046, 4052, 4410}, [3]int{f.N, f.Lo, f.Hi})
}

func TestZeroFailures(t *testing.T) {
	for _, c := range []struct {
		theta int
		miss  float64
		n     int
	}{{10, .05, 299}, {10, .001, 688}, {10, 1e-6, 1375}, {1, .05, 2995}, {1, .001, 6905}, {1, 1e-6, 13809}} {
		n, err := ZeroFailures(c.theta, c.miss)
		require.NoError(t, err)
		assert.Equal(t, c.n, n)
	}
	_, err := ZeroFailures(0, .1)
	require.ErrorIs(t, err, ErrGoal)
	_, err = ZeroFailures(1, 0)
	require.ErrorIs(t, err, ErrGoal)
}

func TestOneSidedShares(t *testing.T) {
	assert.Equal(t, 1810, OneSided(3812, .5, 1e-3))
	assert.Equal(t, 2885, OneSided(6144, .5, 1e-6))
	assert.Equal(t, 432, OneSided(5338, .1, 1e-6))
	assert.Equal(t, -1, OneSided(3, .5, 1e-3))
}

func TestImpossibleGoals(t *testing.T) {
	for name, g := range map[string]Goal{
		"no share":   {Share: Share{1, 0}, Delta: 50, Alpha: .1, Beta: .1},
		"above one":  {Share: Share{3, 2}, Delta: 50, Alpha: .1, Beta: .1},
		"zero":       {Share: PerMille(0), Delta: 50, Alpha: .1, Beta: .1},
		"one":        {Share: PerMille(1000), Delta: 50, Alpha: .1, Beta: .1},
		"no delta":   {Share: PerMille(500), Delta: 0, Alpha: .1, Beta: .1},
		"no alpha":   {Share: PerMille(500), Delta: 50, Alpha: 0, Beta: .1},
		"NaN beta":   {Share: PerMille(500), Delta: 50, Alpha: .1, Beta: math.NaN()},
		"delta huge": {Share: PerMille(500), Delta: 600, Alpha: .1, Beta: .1},
	} {
		_, err := DesignFixed(g)
		require.ErrorIs(t, err, ErrGoal, name)
		_, err = DesignSequential(g)
		require.ErrorIs(t, err, ErrGoal, name)
	}
}

package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// AtLeast is P(X >= k) for X binomial with n trials of probability p, as the
// regularised incomplete beta function I_p(k, n-k+1): Abramowitz & Stegun
// 26.5.24. It keeps its relative precision in the far tail, where one minus a
// distribution function is noise.
func AtLeast(k, n int, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n || p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}

// AtMost is P(X <= k): at least n-k failures.
func AtMost(k, n int, p float64) float64 { return AtLeast(n-k, n, 1-p) }

// Within is P(lo <= X <= hi). The two tails are subtracted on the side where
// they are small, so that a small probability keeps its digits.
func Within(lo, hi, n int, p float64) float64 {
	if lo > hi {
		return 0
	}
	if float64(lo) > float64(n)*p {
		return AtLeast(lo, n, p) - AtLeast(hi+1, n, p)
	}
	return AtMost(hi, n, p) - AtMost(lo-1, n, p)
}

// Exactly is P(X = k).
func Exactly(k, n int, p float64) float64 {
	switch {
	case k < 0 || k > n:
		return 0
	case p <= 0:
		return indicator(k == 0)
	case p >= 1:
		return indicator(k == n)
	}
	return math.Exp(logChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

// TwoSided is the p-value min(1, 2 min(P(X<=x), P(X>=x))): the tails of Clopper
// & Pearson 1934.
func TwoSided(x, n int, p float64) float64 {
	return min(1, 2*min(AtMost(x, n, p), AtLeast(x, n, p)))
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// logChoose is the logarithm of the binomial coefficient; -Inf where it is 0.
func logChoose(n, k int) float64 {
	if k < 0 || k > n || n < 0 {
		return math.Inf(-1)
	}
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

package stat

import "gonum.org/v1/gonum/mathext"

// RateLower is the lower Clopper-Pearson bound of a rate after x events in n
// trials, missed with probability at most alpha: the inverse regularised
// incomplete beta function at (alpha; x, n-x+1), 0 for no event. For a
// two-sided interval give half of alpha to each side.
func RateLower(x, n int, alpha float64) float64 {
	if x <= 0 {
		return 0
	}
	return mathext.InvRegIncBeta(float64(x), float64(n-x+1), alpha)
}

// RateUpper is the upper bound: one minus the lower bound of the complement,
// which keeps alpha itself (not 1-alpha) as the argument.
func RateUpper(x, n int, alpha float64) float64 {
	if x >= n {
		return 1
	}
	return 1 - mathext.InvRegIncBeta(float64(n-x), float64(x+1), alpha)
}

package stat

import "sort"

// UpperRank is the smallest rank r (from 1) such that the r-th smallest of n
// values bounds the quantile from above with error at most alpha, for any
// distribution and with ties: P(Bin(n, u) >= r) <= alpha (Thompson 1936; Hahn &
// Meeker 1991). The quantile is in per mille. ok is false if no rank does: then
// there is no bound, n is too small.
func UpperRank(n, quantile int, alpha float64) (r int, ok bool) {
	u := float64(quantile) / 1000
	r = 1 + sort.Search(n, func(i int) bool { return AtLeast(i+1, n, u) <= alpha })
	return r, r <= n
}

// LowerRank is the largest rank s whose value bounds the quantile from below
// with error at most alpha: P(Bin(n, u) <= s-1) <= alpha.
func LowerRank(n, quantile int, alpha float64) (s int, ok bool) {
	u := float64(quantile) / 1000
	s = sort.Search(n, func(i int) bool { return AtMost(i, n, u) > alpha })
	return s, s >= 1
}

// SampleForUpper is the smallest n for which the value with j larger ones above
// it bounds the quantile from above with error at most alpha.
func SampleForUpper(quantile, j int, alpha float64) int {
	u := float64(quantile) / 1000
	n := j + 1
	for AtLeast(n-j, n, u) > alpha {
		n++
	}
	return n
}

package stat

import (
	"cmp"
	"fmt"
	"slices"
)

// Divide splits a false-alarm budget by weights that were fixed beforehand:
// alpha_i = w_i alpha / sum w (Bonferroni's inequality: any dependence between
// the checks is allowed). Every weight must be positive.
func Divide(alpha float64, weights []float64) ([]float64, error) {
	sum := 0.0
	for i, w := range weights {
		if !(w > 0) {
			return nil, fmt.Errorf("%w: weight %g of check %d", ErrGoal, w, i)
		}
		sum += w
	}
	parts := make([]float64, len(weights))
	for i, w := range weights {
		parts[i] = alpha * w / sum
	}
	return parts, nil
}

// Holm tells which of several p-values are rejected at a common alpha: the i-th
// smallest is held against alpha/(m-i+1), up to the first that is not rejected
// (Holm 1979). A check without a verdict counts as p = 1.
func Holm(p []float64, alpha float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	rejected := make([]bool, len(p))
	for rank, i := range order {
		if p[i] > alpha/float64(len(p)-rank) {
			break
		}
		rejected[i] = true
	}
	return rejected
}

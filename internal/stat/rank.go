package stat

import (
	"math"
	"slices"
)

// RankSum compares two samples by ranks (Mann & Whitney 1947), with mid-ranks
// for ties, which millisecond latencies have in plenty. It tests whether one
// tends to be larger, and is blind to tails. Values must be independent:
// latencies of one run are not, so compare blocks.
type RankSum struct {
	U        float64 // pairs with a above b, ties count half
	Variance float64 // of U given the ties
	P        float64 // two-sided
	Exact    bool    // P counts permutations; else it is the normal approximation
}

// mostPermutations is up to how many splits P is counted exactly.
const mostPermutations = 200_000

// CompareRanks computes the rank sum of a against b.
func CompareRanks(a, b []float64) RankSum {
	ranks, ties := midRanks(slices.Concat(a, b))
	m, n := float64(len(a)), float64(len(b))
	r := RankSum{P: 1}
	for _, rank := range ranks[:len(a)] {
		r.U += rank
	}
	r.U -= m * (m + 1) / 2
	all := m + n
	if m == 0 || n == 0 {
		return r
	}
	r.Variance = m * n / 12 * ((all + 1) - ties/(all*(all-1)))
	off := math.Abs(r.U - m*n/2)
	if logChoose(len(ranks), len(a)) <= math.Log(mostPermutations) {
		r.P, r.Exact = permute(ranks, len(a), off), true
	} else if r.Variance > 0 {
		r.P = math.Erfc(max(0, off-0.5) / math.Sqrt(2*r.Variance))
	}
	return r
}

// midRanks gives each value its rank, the mean rank among ties, and the sum of
// t^3-t over groups of t ties.
func midRanks(values []float64) (ranks []float64, ties float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if values[i] < values[j] {
			return -1
		}
		return int(indicator(values[i] > values[j]))
	})
	ranks = make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for i := from; i < to; i++ {
			ranks[order[i]] = float64(from+to+1) / 2
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	return ranks, ties
}

// permute counts the splits of the ranks whose U is at least as far off.
func permute(ranks []float64, m int, off float64) float64 {
	middle := float64(m*(len(ranks)-m)) / 2
	base := float64(m*(m+1)) / 2
	far, all := 0, 0
	var choose func(from, left int, sum float64)
	choose = func(from, left int, sum float64) {
		if left == 0 {
			all++
			if math.Abs(sum-base-middle) >= off-1e-9 {
				far++
			}
			return
		}
		for i := from; i <= len(ranks)-left; i++ {
			choose(i+1, left-1, sum+ranks[i])
		}
	}
	choose(0, m, 0)
	return float64(far) / float64(all)
}

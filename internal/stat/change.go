package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Change is a point at which a series shifted: At is the index of the first
// value after it, P the permutation p-value.
type Change struct {
	At int
	P  float64
}

// Detection are the settings of Changes. P cannot fall below
// 1/(Permutations+1).
type Detection struct {
	Level        float64 // 0.05 if 0
	Permutations int     // 199 if 0
	Least        int     // values on each side of a change, 5 if 0
}

func (d Detection) orDefaults() Detection {
	if d.Level == 0 {
		d.Level = 0.05
	}
	if d.Permutations == 0 {
		d.Permutations = 199
	}
	if d.Least == 0 {
		d.Least = 5
	}
	return d
}

// Changes finds shifts of a series over many runs by E-divisive (Matteson &
// James 2014, exponent 1): the split with the largest energy distance between
// its sides is a change if few permutations inside the segments reach it; then
// both sides are searched. It reads trends, days later; it is no gate. The same
// generator state gives the same answer.
func Changes(series []float64, d Detection, random *rand.Rand) []Change {
	d = d.orDefaults()
	cuts := []int{0, len(series)}
	var found []Change
	for {
		at, best := bestSplit(series, cuts, d.Least)
		if best <= 0 {
			break
		}
		p := permuted(series, cuts, d, random, best)
		if p > d.Level {
			break
		}
		found = append(found, Change{At: at, P: p})
		cuts = append(cuts, at)
		slices.Sort(cuts)
	}
	slices.SortFunc(found, func(a, b Change) int { return a.At - b.At })
	return found
}

// permuted is the share of permutations, the data included, that split at least
// as well.
func permuted(series []float64, cuts []int, d Detection, random *rand.Rand, best float64) float64 {
	reached := 1
	shuffled := slices.Clone(series)
	for range d.Permutations {
		for i := 1; i < len(cuts); i++ {
			part := shuffled[cuts[i-1]:cuts[i]]
			random.Shuffle(len(part), func(a, b int) { part[a], part[b] = part[b], part[a] })
		}
		if _, q := bestSplit(shuffled, cuts, d.Least); q >= best {
			reached++
		}
	}
	return float64(reached) / float64(d.Permutations+1)
}

// bestSplit finds the best split of any segment.
func bestSplit(series []float64, cuts []int, least int) (at int, best float64) {
	for i := 1; i < len(cuts); i++ {
		split, q := splitOf(series[cuts[i-1]:cuts[i]], least)
		if q > best {
			at, best = cuts[i-1]+split, q
		}
	}
	return at, best
}

// splitOf finds the best split of one segment, and the best end of the right
// side with it, as the method asks: a later shift must not hide this one.
func splitOf(part []float64, least int) (at int, best float64) {
	d := distances(part)
	for split := least; split <= len(part)-least; split++ {
		for end := split + least; end <= len(part); end++ {
			if q := d.energy(split, end); q > best {
				at, best = split, q
			}
		}
	}
	return at, best
}

// distanceSums holds, at [i][j], the sum of |x_a - x_b| over a < i and b < j.
type distanceSums [][]float64

func distances(part []float64) distanceSums {
	sums := make(distanceSums, len(part)+1)
	for i := range sums {
		sums[i] = make([]float64, len(part)+1)
	}
	for i, a := range part {
		for j, b := range part {
			sums[i+1][j+1] = math.Abs(a-b) + sums[i][j+1] + sums[i+1][j] - sums[i][j]
		}
	}
	return sums
}

// energy is Q = mn/(m+n) times the energy distance of [0, split) and [split,
// end).
func (d distanceSums) energy(split, end int) float64 {
	m, n := float64(split), float64(end-split)
	left := d[split][split] / 2
	across := d[split][end] - d[split][split]
	right := d[end][end]/2 - left - across
	distance := 2*across/(m*n) - left/(m*(m-1)/2) - right/(n*(n-1)/2)
	return m * n / (m + n) * distance
}

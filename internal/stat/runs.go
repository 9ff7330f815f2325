package stat

import "math"

// Runs is the exact distribution of the number of runs in a random order of
// ones and zeros (Stevens 1939; Wald & Wolfowitz 1940). Few runs are a sticky
// pick, many an alternating one. For two arms it is the exact test of lag-one
// dependence, given the totals.
type Runs struct {
	Ones, Zeros int
}

// most is the largest possible number of runs.
func (r Runs) most() int {
	return 2*min(r.Ones, r.Zeros) + int(indicator(r.Ones != r.Zeros))
}

// least is the smallest.
func (r Runs) least() int { return int(indicator(r.Ones > 0) + indicator(r.Zeros > 0)) }

// Exactly is the probability of so many runs.
func (r Runs) Exactly(runs int) float64 {
	if runs < r.least() || runs > r.most() {
		return 0
	}
	if r.Ones == 0 || r.Zeros == 0 {
		return 1
	}
	all := logChoose(r.Ones+r.Zeros, r.Ones)
	k := runs / 2
	if runs%2 == 0 {
		return 2 * math.Exp(logChoose(r.Ones-1, k-1)+logChoose(r.Zeros-1, k-1)-all)
	}
	return math.Exp(logChoose(r.Ones-1, k)+logChoose(r.Zeros-1, k-1)-all) +
		math.Exp(logChoose(r.Ones-1, k-1)+logChoose(r.Zeros-1, k)-all)
}

// AtMost is the probability of so many runs or fewer.
func (r Runs) AtMost(runs int) float64 {
	sum := 0.0
	for i := r.least(); i <= runs; i++ {
		sum += r.Exactly(i)
	}
	return min(1, sum)
}

// AtLeast is the probability of so many runs or more.
func (r Runs) AtLeast(runs int) float64 {
	sum := 0.0
	for i := r.most(); i >= runs; i-- {
		sum += r.Exactly(i)
	}
	return min(1, sum)
}

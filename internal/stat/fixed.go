package stat

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Fixed is a two-sided binomial test of a fixed sample: N requests, held if the
// count lies in Lo..Hi. It is exact: Lo is the largest c with P(X < c) <=
// Alpha/2 and Hi mirrors it (Clopper & Pearson 1934). The other fields are its
// true error probabilities; a side that lies outside [0, 1] is not tested and
// has none.
type Fixed struct {
	Goal                Goal
	N, Lo, Hi           int
	FalseLow, FalseHigh float64 // P(X < Lo), P(X > Hi) under the declared share
	MissLow, MissHigh   float64 // P(held) at Share-Delta and Share+Delta
}

// Holds reports whether a count of hits among N passes.
func (f Fixed) Holds(hits int) bool { return f.Lo <= hits && hits <= f.Hi }

// largestSample bounds every search for a size.
const largestSample = 20_000_000

// DesignFixed finds the smallest sample that reaches the goal. Power is a
// saw-tooth in n (Chernick & Liu 2002), so the search goes up one by one from
// below; bisection would land on a wrong tooth.
func DesignFixed(g Goal) (Fixed, error) {
	if err := g.check(); err != nil {
		return Fixed{}, err
	}
	for f := fixedAt(g, startOf(g)); f.N < largestSample; f = f.next() {
		if f.reaches() {
			return f.withErrors(), nil
		}
	}
	return Fixed{}, fmt.Errorf("%w: goal %+v needs more than %d requests", ErrGoal, g, largestSample)
}

// SettledFrom is the n from which on every larger sample reaches the goal too,
// as far as a stretch of a tenth of the sample without a failure tells.
func (f Fixed) SettledFrom() int {
	settled, stretch := f.N, f.N/10+200
	for at := f.next(); at.N < settled+stretch; at = at.next() {
		if !at.reaches() {
			settled = at.N + 1
		}
	}
	return settled
}

// startOf is 0.85 of the normal approximation of the sample size, which lies
// below the first tooth that reaches the goal.
func startOf(g Goal) int {
	low, hasLow := g.Share.shift(-g.Delta)
	high, hasHigh := g.Share.shift(g.Delta)
	n := math.Inf(1)
	if hasLow {
		n = min(n, normalSize(g, low))
	}
	if hasHigh {
		n = min(n, normalSize(g, high))
	}
	return max(1, int(0.85*n))
}

func normalSize(g Goal, other Share) float64 {
	root := upperNormal(g.Alpha/2)*math.Sqrt(g.Share.P()*g.Share.Q()) +
		upperNormal(g.Beta)*math.Sqrt(other.P()*other.Q())
	delta := float64(g.Delta) / 1000
	return root * root / (delta * delta)
}

// upperNormal is the point that a standard normal exceeds with probability u.
func upperNormal(u float64) float64 { return -distuv.UnitNormal.Quantile(u) }

// fixedAt finds the band of a sample of n.
func fixedAt(g Goal, n int) Fixed {
	f := Fixed{Goal: g, N: n, Lo: 0, Hi: n}
	p := g.Share.P()
	if _, ok := g.Share.shift(-g.Delta); ok {
		f.Lo = sort.Search(n+1, func(c int) bool { return AtMost(c, n, p) > g.Alpha/2 })
	}
	if _, ok := g.Share.shift(g.Delta); ok {
		f.Hi = sort.Search(n+1, func(c int) bool { return AtLeast(c+1, n, p) <= g.Alpha/2 })
	}
	return f
}

// next is the band of one request more: either bound stays or moves up by one,
// because one request adds at most one hit.
func (f Fixed) next() Fixed {
	n, p := f.N+1, f.Goal.Share.P()
	to := Fixed{Goal: f.Goal, N: n, Lo: f.Lo, Hi: f.Hi}
	if _, ok := f.Goal.Share.shift(-f.Goal.Delta); ok && AtMost(f.Lo, n, p) <= f.Goal.Alpha/2 {
		to.Lo++
	}
	if _, ok := f.Goal.Share.shift(f.Goal.Delta); !ok || AtLeast(f.Hi+1, n, p) > f.Goal.Alpha/2 {
		to.Hi++
	}
	return to
}

// misses are the probabilities to hold at the two deviations that matter.
func (f Fixed) misses() (low, high float64) {
	if p, ok := f.Goal.Share.shift(-f.Goal.Delta); ok {
		low = Within(f.Lo, f.Hi, f.N, p.P())
	}
	if p, ok := f.Goal.Share.shift(f.Goal.Delta); ok {
		high = Within(f.Lo, f.Hi, f.N, p.P())
	}
	return low, high
}

func (f Fixed) reaches() bool {
	low, high := f.misses()
	return low <= f.Goal.Beta && high <= f.Goal.Beta
}

func (f Fixed) withErrors() Fixed {
	p := f.Goal.Share.P()
	f.MissLow, f.MissHigh = f.misses()
	f.FalseLow = AtMost(f.Lo-1, f.N, p)
	f.FalseHigh = AtLeast(f.Hi+1, f.N, p)
	return f
}

// ZeroFailures is the number of clean requests that shows a failure rate below
// theta per mille with confidence 1-miss: ln(miss)/ln(1-theta), rounded up
// (Hanley & Lippman-Hand 1983 for the rule of three that it sharpens).
func ZeroFailures(theta int, miss float64) (int, error) {
	if theta <= 0 || theta >= 1000 || !(miss > 0 && miss < 1) {
		return 0, fmt.Errorf("%w: rate of %d per mille missed with probability %g", ErrGoal, theta, miss)
	}
	rate := float64(theta) / 1000
	n := max(1, int(math.Log(miss)/math.Log1p(-rate))-1)
	for math.Exp(float64(n)*math.Log1p(-rate)) > miss {
		n++
	}
	return n, nil
}

// OneSided is the largest count that refutes "the share is at least p": the
// largest c with P(X <= c) <= alpha, or -1 if even none is no proof.
func OneSided(n int, p, alpha float64) int {
	return sort.Search(n+1, func(c int) bool { return AtMost(c, n, p) > alpha }) - 1
}

package gate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/stat"
)

// plannedQuantiles are the quantiles that the planned requests of a stage can
// bound; whether those that were made do is another question.
func (p pair) plannedQuantiles(name string, level float64) []int {
	stage := p.run.samples[name].stage
	if p.faulty(stage) {
		return nil
	}
	var planned []int
	for _, q := range slices.Concat(p.policy.Quantiles, p.policy.Watched) {
		_, bounded := stat.UpperRank(stage.Load.Hits, q, level/2)
		if bounded && stage.Load.Hits >= fewestForQuantile {
			planned = append(planned, q)
		}
	}
	return planned
}

// fewestForQuantile keeps latencies of short looks out: the bounds of a few
// dozen values span nearly all of them.
const fewestForQuantile = 500

// latencyTrial tests whether a quantile grew by more than the tolerance: the
// lower bound of the run less the upper bound of the baseline, each at half the
// level (Bonferroni), by order statistics and so for any distribution. That
// takes requests for independent, which neighbours on a busy machine are not, so
// the growth must also show between blocks of the two runs (blockP).
func (p pair) latencyTrial(name string, q int, strict float64) trial {
	was, is := p.base.samples[name], p.run.samples[name]
	before, after := was.point(q), is.point(q)
	t := trial{
		Compared: Compared{Of: name, Quantity: quantileName(q) + " of the latency", Baseline: milliseconds(before), Run: milliseconds(after), P: 1},
		watched:  !slices.Contains(p.policy.Quantiles, q), better: after < before,
	}
	if t.coarse = firstOf(was.unpunctual(), is.unpunctual()); t.coarse != "" {
		t.watched = t.watched || p.policy.LatencyMayBeUntold
		return t
	}
	tolerance := time.Duration(p.policy.ToleranceMs * float64(time.Millisecond))
	slow, fast := is, was
	if t.better {
		slow, fast = was, is
	}
	g := quantileGrowth{q, tolerance}
	t.P = max(growthP(fast, slow, g), blockP(fast, slow, g))
	t.change = fmt.Sprintf("%s → %s, beyond the tolerance of %s", milliseconds(before), milliseconds(after), milliseconds(tolerance))
	t.coarse, t.watched = firstOf(coarseness(was, is, g, strict), fewBlocks(was, is, strict)), t.watched || stopped(was, is)
	return t
}

// quantileGrowth is the growth of a quantile that is tested for.
type quantileGrowth struct {
	quantile  int
	tolerance time.Duration
}

// leastP ends the search for a p-value: smaller ones decide nothing more.
const leastP = 1e-15

// growthP is the smallest level at which the bounds show growth beyond the
// tolerance. Bounds widen as the level falls, so it can be searched for; the
// result is twice that level because either direction would be reported.
func growthP(fast, slow *sample, g quantileGrowth) float64 {
	shown := func(level float64) bool {
		low, okLow := slow.lower(g.quantile, level/2)
		high, okHigh := fast.upper(g.quantile, level/2)
		return okLow && okHigh && low-high > g.tolerance
	}
	if !shown(1) {
		return 1
	}
	if shown(leastP) {
		return leastP
	}
	no, yes := math.Log(leastP), 0.0
	for range 50 {
		if middle := (no + yes) / 2; shown(math.Exp(middle)) {
			yes = middle
		} else {
			no = middle
		}
	}
	return min(1, 2*math.Exp(yes))
}

// coarseness says that only growth beyond twice the tolerance would have been
// shown at the strict level, or "".
func coarseness(was, is *sample, g quantileGrowth, strict float64) string {
	high, okHigh := was.upper(g.quantile, strict/4)
	low, okLow := is.lower(g.quantile, strict/4)
	if !okHigh || !okLow {
		return fmt.Sprintf("too few requests: %d and %d do not bound it", was.size(), is.size())
	}
	smallest := g.tolerance + (high - was.point(g.quantile)) + (is.point(g.quantile) - low)
	if smallest > 2*g.tolerance {
		return fmt.Sprintf("too few requests: only growth of %s would have counted, %s is asked for", milliseconds(smallest), milliseconds(2*g.tolerance))
	}
	return ""
}

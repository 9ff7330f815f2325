package gate

import (
	"slices"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// blockCount is the number of blocks of neighbouring requests that a stage is
// cut into: enough that a rank test between two runs' blocks can show a
// difference at the level that hundreds of comparisons leave.
const blockCount = 24

// fewestInBlock keeps blocks out of which a stage that ended early left little.
const fewestInBlock = 10

// blockOf is the block of a request. Blocks are stretches of the plan, so a
// stage that ended early has fewer of them.
func blockOf(stage *record.Stage, seq int) int {
	hits := max(1, stage.Load.Hits)
	if done := stage.Health.Sent; done > 0 && done < hits {
		hits = done
	}
	return min(max(0, int(int64(seq)*blockCount/int64(hits))), blockCount-1)
}

// blockP tests whether the quantile of a block grew by more than the tolerance:
// the ranks of the blocks' quantiles, those of the faster run moved up by the
// tolerance. One burst, on either side, is a few blocks of many; a mesh that is
// slower is all of them. It is two-sided, and 1 where the growth is none.
func blockP(fast, slow *sample, g quantileGrowth) float64 {
	before, after := fast.quantiles(g.quantile), slow.quantiles(g.quantile)
	for i := range before {
		before[i] += float64(g.tolerance)
	}
	ranks := stat.CompareRanks(after, before)
	if ranks.U*2 <= float64(len(before)*len(after)) {
		return 1
	}
	return ranks.P
}

// quantiles are those of the blocks that are large enough.
func (s *sample) quantiles(perMille int) []float64 {
	var out []float64
	for _, block := range s.blocks {
		if len(block) < fewestInBlock {
			continue
		}
		sorted := slices.Sorted(slices.Values(block))
		out = append(out, float64(sorted[min(len(sorted)-1, len(sorted)*perMille/1000)]))
	}
	return out
}

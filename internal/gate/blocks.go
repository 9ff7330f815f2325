package gate

import (
	"fmt"
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

// blockOf is the block of a request. Blocks are stretches of what was sent: those
// of a stage that ended early are smaller.
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

// fewBlocks says that the blocks are so few that they cannot show a difference at
// a level, however large it is, or "". That is no sign that there is none.
func fewBlocks(was, is *sample, level float64) string {
	before, after := was.largeBlocks(), is.largeBlocks()
	least := 1.0
	if before > 0 && after > 0 {
		apart := make([]float64, before+after)
		for i := range apart {
			apart[i] = float64(i)
		}
		least = stat.CompareRanks(apart[before:], apart[:before]).P
	}
	if least <= level {
		return ""
	}
	return fmt.Sprintf("too few requests: %d and %d blocks of at least %d cannot show growth", before, after, fewestInBlock)
}

func (s *sample) largeBlocks() (count int) {
	for _, block := range s.blocks {
		if len(block) >= fewestInBlock {
			count++
		}
	}
	return count
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

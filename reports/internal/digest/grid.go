package digest

import (
	"math"
	"time"
)

// The latency buckets of a grid are logarithmic, 24 to a decade from 10 µs to
// 1000 s: a quantile read from them is at most 5 % off.
const (
	perDecade = 24
	decades   = 8
	shortest  = 10 * time.Microsecond
)

// Grid counts latencies by slice of intended time and logarithmic bucket.
type Grid struct {
	counts [Slices][perDecade * decades]uint32
	totals [Slices]uint32
}

func newGrid() *Grid { return new(Grid) }

func (g *Grid) add(at int, latency time.Duration) {
	g.counts[at][bucket(latency)]++
	g.totals[at]++
}

func bucket(latency time.Duration) int {
	if latency <= shortest {
		return 0
	}
	b := int(math.Log10(float64(latency)/float64(shortest)) * perDecade)
	return min(b, perDecade*decades-1)
}

// middle is the geometric middle of a bucket.
func middle(b int) time.Duration {
	return time.Duration(float64(shortest) * math.Pow(10, (float64(b)+.5)/perDecade))
}

// Count is the number of latencies in a slice.
func (g *Grid) Count(at int) int { return int(g.totals[at]) }

// Quantile is the smallest latency that at least the share q of the slice does
// not exceed; ok is false for a slice without latencies.
func (g *Grid) Quantile(at int, q float64) (latency time.Duration, ok bool) {
	need := uint32(max(1, math.Ceil(q*float64(g.totals[at]))))
	var seen uint32
	for b, n := range g.counts[at] {
		if seen += n; seen >= need {
			return middle(b), true
		}
	}
	return 0, false
}

// Empty is true of a grid without latencies.
func (g *Grid) Empty() bool { return g.totals == [Slices]uint32{} }

// Distribution is a grid without its slices of time.
type Distribution struct {
	counts [perDecade * decades]int
	total  int
}

// Whole adds up all slices.
func (g *Grid) Whole() Distribution {
	var d Distribution
	for at := range g.counts {
		for b, n := range g.counts[at] {
			d.counts[b] += int(n)
		}
		d.total += int(g.totals[at])
	}
	return d
}

// Count is the number of latencies.
func (d Distribution) Count() int { return d.total }

// At is the q-quantile in milliseconds, 0 of a distribution without latencies.
func (d Distribution) At(q float64) float64 {
	need, seen := int(max(1, math.Ceil(q*float64(d.total)))), 0
	for b, n := range d.counts {
		if seen += n; n > 0 && seen >= need {
			return float64(middle(b)) / float64(time.Millisecond)
		}
	}
	return 0
}

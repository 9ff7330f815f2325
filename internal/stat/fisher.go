package stat

import "math"

// Fisher is the exact two-sided p-value that two samples share one success
// probability, given the margins: twice the smaller hypergeometric tail
// (Fisher 1935). It is conservative for small samples and enough from about a
// thousand per sample.
func Fisher(a, b Group) float64 {
	total := a.Hits + b.Hits
	all := logChoose(a.Size+b.Size, total)
	weight := func(x int) float64 {
		return math.Exp(logChoose(a.Size, x) + logChoose(b.Size, total-x) - all)
	}
	low, high := 0.0, 0.0
	for x := max(0, total-b.Size); x <= a.Hits; x++ {
		low += weight(x)
	}
	for x := min(a.Size, total); x >= a.Hits; x-- {
		high += weight(x)
	}
	return min(1, 2*min(low, high))
}

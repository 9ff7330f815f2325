package stat

import (
	"fmt"
	"math"
)

// Multinomial is the probability of exactly these counts under these shares.
func Multinomial(counts []int, shares []Share) float64 {
	return math.Exp(logMultinomial(counts, shares))
}

func logMultinomial(counts []int, shares []Share) float64 {
	left, sum := 0, 0.0
	for _, c := range counts {
		left += c
	}
	for i, c := range counts {
		sum += logChoose(left, c)
		left -= c
		if c > 0 {
			sum += float64(c) * math.Log(shares[i].P())
		}
	}
	return sum
}

// mostOutcomes bounds the enumeration of MultinomialExact.
const mostOutcomes = 5_000_000

// MultinomialExact is the p-value of counts under shares that orders outcomes
// by their probability (Read & Cressie 1988). It enumerates all outcomes, so it
// is for small samples; larger ones are tested arm by arm.
func MultinomialExact(counts []int, shares []Share) (float64, error) {
	n := 0
	for _, c := range counts {
		n += c
	}
	if outcomes := math.Exp(logChoose(n+len(counts)-1, len(counts)-1)); outcomes > mostOutcomes {
		return 0, fmt.Errorf("%w: %d requests over %d arms have %.0f outcomes", ErrGoal, n, len(counts), outcomes)
	}
	e := enumeration{shares: shares, at: make([]int, len(counts))}
	// Equal probabilities may differ in the last digits.
	e.limit = logMultinomial(counts, shares) + 1e-9
	e.fill(0, n)
	return min(1, e.sum), nil
}

type enumeration struct {
	shares []Share
	at     []int
	limit  float64
	sum    float64
}

// fill gives arm i every possible count of what is left.
func (e *enumeration) fill(i, left int) {
	if i == len(e.at)-1 {
		e.at[i] = left
		if p := logMultinomial(e.at, e.shares); p <= e.limit {
			e.sum += math.Exp(p)
		}
		return
	}
	for c := range left + 1 {
		e.at[i] = c
		e.fill(i+1, left-c)
	}
}

// Box is the allowed counts of one arm.
type Box struct {
	Lo, Hi int
}

// AllWithin is the probability that n requests over these shares put every
// arm's count into its box: the exact power of one binomial test per arm. It
// goes arm by arm, each binomial among what is left.
func AllWithin(n int, shares []Share, boxes []Box) float64 {
	left := map[int]float64{n: 1} // requests not yet given to an arm
	rest := 1.0                   // share of the arms still to come
	for i, s := range shares {
		p := 1.0
		if i < len(shares)-1 {
			p = s.P() / rest
		}
		left = giveArm(left, p, boxes[i])
		rest -= s.P()
	}
	return left[0]
}

func giveArm(left map[int]float64, p float64, box Box) map[int]float64 {
	after := map[int]float64{}
	for m, mass := range left {
		for c := max(0, box.Lo); c <= min(m, box.Hi); c++ {
			after[m-c] += mass * Exactly(c, m, p)
		}
	}
	return after
}

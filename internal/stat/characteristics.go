package stat

// Characteristics are the exact properties of a sequential test at a true
// share: how it ends and how many requests it takes.
type Characteristics struct {
	Low, Held, High float64
	LastLook        float64 // still open at N: the share undecided at the cap
	Mean            float64
	Median, P90     int
}

// At computes the characteristics when the true share is the given one, by the
// same recursion as the design, truncation included.
func (s *Sequential) At(share Share) Characteristics {
	var c Characteristics
	l := newLattice(share)
	for n := 1; n <= s.N; n++ {
		c.Mean += l.between(l.first, l.last) // P(still open after n-1 requests)
		l.step(linesAt(s.low, s.high, n))
		closed := l.low + l.held + l.high
		c.Median = firstAt(c.Median, n, closed >= 0.5)
		c.P90 = firstAt(c.P90, n, closed >= 0.9)
	}
	c.LastLook = l.between(l.first, l.last)
	c.Low = l.low + l.between(0, s.Lo-1)
	c.Held = l.held + l.between(s.Lo, s.Hi)
	c.High = l.high + l.between(s.Hi+1, s.N)
	c.Median = firstAt(c.Median, s.N, true)
	c.P90 = firstAt(c.P90, s.N, true)
	return c
}

// firstAt keeps the first n at which reached was true.
func firstAt(known, n int, reached bool) int {
	if known == 0 && reached {
		return n
	}
	return known
}

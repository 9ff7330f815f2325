package stat

import "gonum.org/v1/gonum/mathext"

// Group is what one block, connection or replica saw.
type Group struct {
	Hits, Size int
}

// Dispersion compares how much groups differ with what independent picks of one
// common share would give: D = sum (x_i - m_i p)^2 / (m_i p q), about
// chi-squared with one degree of freedom less than there are groups (Cochran
// 1954; Potthoff & Whittinghill 1966). Over is the probability of a D at least
// as large (sticky groups), Under of one at most as large (a picker that
// counts). Both are approximations; see Ready.
type Dispersion struct {
	D           float64
	Groups      int
	Share       float64
	Over, Under float64
	// Ready says that the approximation may be used: at least two groups, and at
	// least five expected hits and misses in each.
	Ready bool
}

// leastExpected is Cochran's rule for the chi-squared approximation.
const leastExpected = 5

// Disperse computes the dispersion of groups; empty groups are left out.
func Disperse(groups []Group) Dispersion {
	hits, size, smallest, used := 0, 0, 0, 0
	for _, g := range groups {
		if g.Size == 0 {
			continue
		}
		hits, size, used = hits+g.Hits, size+g.Size, used+1
		if smallest == 0 || g.Size < smallest {
			smallest = g.Size
		}
	}
	if used < 2 || hits == 0 || hits == size {
		return Dispersion{Groups: used, Over: 1, Under: 1}
	}
	d := Dispersion{Groups: used, Share: float64(hits) / float64(size)}
	rare := min(d.Share, 1-d.Share)
	d.Ready = float64(smallest)*rare >= leastExpected
	return d.measure(groups)
}

func (d Dispersion) measure(groups []Group) Dispersion {
	for _, g := range groups {
		if g.Size == 0 {
			continue
		}
		expected := float64(g.Size) * d.Share
		off := float64(g.Hits) - expected
		d.D += off * off / (expected * (1 - d.Share))
	}
	half := float64(d.Groups-1) / 2
	d.Over = mathext.GammaIncRegComp(half, d.D/2)
	d.Under = mathext.GammaIncReg(half, d.D/2)
	return d
}

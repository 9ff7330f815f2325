package stat

// lattice is the exact distribution of the number of hits of a sequential test
// that is still open, and the mass that its boundaries have absorbed:
// f(n+1, x) = q f(n, x) + p f(n, x-1) over open x (Aroian 1968, "direct
// method"). Absorbed mass is summed where it falls; nothing is one minus a sum.
type lattice struct {
	p, q            float64
	n               int
	first, last     int // open counts lie in first..last
	mass            []float64
	low, held, high float64
}

func newLattice(share Share) *lattice { return latticeOf(share.P(), share.Q()) }

func latticeOf(p, q float64) *lattice { return &lattice{p: p, q: q, mass: []float64{1}} }

// negligible mass is dropped: it is far below every probability of interest and
// arithmetic on denormal numbers is a hundred times slower.
const negligible = 1e-250

// step adds one request and absorbs what crosses the boundaries. A lattice
// belongs to one goroutine; the race detector would only make it slow.
//
//go:norace
func (l *lattice) step(at lines) {
	l.n++
	l.last++
	if l.last >= len(l.mass) {
		l.mass = append(l.mass, 0)
	}
	before := 0.0
	for x := l.first; x <= l.last; x++ {
		here := l.mass[x]
		l.mass[x] = l.q*here + l.p*before
		before = here
	}
	l.absorb(at)
}

// absorb moves the mass beyond the boundaries into its sums.
//
//go:norace
func (l *lattice) absorb(at lines) {
	for ; l.first <= l.last && (l.first <= at.RejectLow || l.mass[l.first] < negligible); l.first++ {
		if l.first <= at.RejectLow {
			l.low += l.mass[l.first]
		}
		l.mass[l.first] = 0
	}
	for ; l.last >= l.first && (l.last >= at.RejectHigh || l.mass[l.last] < negligible); l.last-- {
		if l.last >= at.RejectHigh {
			l.high += l.mass[l.last]
		}
		l.mass[l.last] = 0
	}
	for x := max(l.first, at.AcceptLow); x <= min(l.last, at.AcceptHigh); x++ {
		l.held += l.mass[x]
		l.mass[x] = 0
	}
}

// between sums the open mass of counts in lo..hi.
//
//go:norace
func (l *lattice) between(lo, hi int) float64 {
	sum := 0.0
	for x := max(lo, l.first); x <= min(hi, l.last); x++ {
		sum += l.mass[x]
	}
	return sum
}

// lowest is the largest c for which ending low on the lines or open below c has
// probability at most half.
//
//go:norace
func (l *lattice) lowest(half float64) int {
	sum := l.low
	for x := l.first; x <= l.last; x++ {
		if sum += l.mass[x]; sum > half {
			return x
		}
	}
	return l.last + 1
}

// highest mirrors lowest.
//
//go:norace
func (l *lattice) highest(half float64) int {
	sum := l.high
	for x := l.last; x >= l.first; x-- {
		if sum += l.mass[x]; sum > half {
			return x
		}
	}
	return l.first - 1
}

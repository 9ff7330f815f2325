package stat

import (
	"fmt"
	"math"
)

// Sequential is a truncated pair of sequential probability ratio tests on half
// the error budgets (ancestors: Wald 1945; Sobel & Wald 1949; Armitage 1957).
// It looks after every request, in intended order. Its lines cost at most
// Alpha/4 per side and Beta/2 per deviation at any schedule of looks (Ville
// 1939); the rest is spent at N, where an open test is decided by Lo..Hi. The
// decision depends on the count only, never on how it was reached, so that a
// replay needs no path.
type Sequential struct {
	Goal                Goal
	N, Lo, Hi           int
	FalseLow, FalseHigh float64 // exact, truncation included
	MissLow, MissHigh   float64

	low, high side
}

// DesignSequential finds the smallest cap at which both misses are within Beta
// by the exact recursion, scanning up.
func DesignSequential(g Goal) (*Sequential, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	s := &Sequential{Goal: g, low: newSide(g, -g.Delta), high: newSide(g, g.Delta)}
	return s, s.search()
}

func (s *Sequential) search() error {
	start, limit := startOf(s.Goal), 4*startOf(s.Goal)+1000
	sound := newLattice(s.Goal.Share)
	low, high := s.deviant(s.low), s.deviant(s.high)
	for n := 1; n <= min(limit, largestSample); n++ {
		at := linesAt(s.low, s.high, n)
		sound.step(at)
		low.step(at)
		high.step(at)
		if n >= start && s.closesAt(sound, low, high) {
			return nil
		}
	}
	return fmt.Errorf("%w: goal %+v needs more than %d requests", ErrGoal, s.Goal, limit)
}

// deviant is the lattice under a deviation; where there is none, it is empty
// and misses nothing.
func (s *Sequential) deviant(d side) *lattice {
	if !d.tested {
		return &lattice{mass: []float64{0}}
	}
	return newLattice(d.against)
}

func (s *Sequential) closesAt(sound, low, high *lattice) bool {
	at := linesAt(s.low, s.high, sound.n)
	lo, hi := 0, sound.n
	if s.low.tested {
		lo = min(sound.lowest(s.Goal.Alpha/2), max(at.AcceptLow, 0))
	}
	if s.high.tested {
		hi = max(sound.highest(s.Goal.Alpha/2), min(at.AcceptHigh, sound.n))
	}
	missLow, missHigh := low.held+low.between(lo, hi), high.held+high.between(lo, hi)
	if missLow > s.Goal.Beta || missHigh > s.Goal.Beta {
		return false
	}
	s.N, s.Lo, s.Hi, s.MissLow, s.MissHigh = sound.n, lo, hi, missLow, missHigh
	s.FalseLow = sound.low + sound.between(0, lo-1)
	s.FalseHigh = sound.high + sound.between(hi+1, sound.n)
	return true
}

// Decide gives the state after n requests with so many hits; n beyond N is
// judged as no test would: it panics, because the caller lost count.
func (s *Sequential) Decide(n, hits int) Decision {
	if n > s.N {
		panic(fmt.Sprintf("sequential test of %d requests asked about request %d", s.N, n))
	}
	decision := linesAt(s.low, s.high, n).decide(hits)
	switch {
	case decision != Open || n < s.N:
		return decision
	case hits < s.Lo:
		return Low
	case hits > s.Hi:
		return High
	}
	return Held
}

// Band is what the test tolerates after n requests: outside it the mesh is
// violated. At N it is Lo..Hi.
func (s *Sequential) Band(n int) (lo, hi int) {
	if n >= s.N {
		return s.Lo, s.Hi
	}
	at := linesAt(s.low, s.high, n)
	return max(0, at.RejectLow+1), min(n, at.RejectHigh-1)
}

// Lines gives the four boundaries after n requests, for drawing: violated-low
// up to the first, held from the second to the third, violated-high from the
// fourth on (math.MaxInt32 where there is no such side).
func (s *Sequential) Lines(n int) [4]int {
	at := linesAt(s.low, s.high, n)
	return [4]int{at.RejectLow, at.AcceptLow, at.AcceptHigh, at.RejectHigh}
}

// evidence is the larger logarithm of the two likelihood ratios against the
// declared share.
func (s *Sequential) evidence(n, hits int) float64 {
	best := 0.0
	if s.low.tested {
		best = max(best, s.low.gain*(s.low.slope*float64(n)-float64(hits)))
	}
	if s.high.tested {
		best = max(best, s.high.gain*(float64(hits)-s.high.slope*float64(n)))
	}
	return best
}

// Trial is one run of a sequential test over a stream of requests.
type Trial struct {
	N, Hits  int // when the decision fell, or so far
	Decision Decision

	design *Sequential
	best   float64
}

// Begin starts a trial.
func (s *Sequential) Begin() *Trial { return &Trial{design: s} }

// Add takes the next request in intended order and gives the state. After a
// decision further requests change nothing.
func (t *Trial) Add(hit bool) Decision {
	if t.Decision != Open {
		return t.Decision
	}
	t.N++
	if hit {
		t.Hits++
	}
	t.best = max(t.best, t.design.evidence(t.N, t.Hits))
	t.Decision = t.design.Decide(t.N, t.Hits)
	return t.Decision
}

// P is a p-value that is valid however long the test looked: twice the inverse
// of the largest likelihood ratio that was reached on either side (Ville 1939).
func (t *Trial) P() float64 { return min(1, 2*math.Exp(-t.best)) }

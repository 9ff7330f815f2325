package stat

import (
	"errors"
	"fmt"
)

// Share is a declared share of requests as a ratio of integers, 0 <= Num <= Den.
type Share struct {
	Num, Den int
}

// PerMille is the share of m in a thousand.
func PerMille(m int) Share { return Share{Num: m, Den: 1000} }

// P is the share as a probability.
func (s Share) P() float64 { return float64(s.Num) / float64(s.Den) }

// Q is one minus the share, without cancellation.
func (s Share) Q() float64 { return float64(s.Den-s.Num) / float64(s.Den) }

// Degenerate reports a share of nothing or of everything: no binomial, one
// counterexample refutes it.
func (s Share) Degenerate() bool { return s.Num == 0 || s.Num == s.Den }

// String gives the share in percent.
func (s Share) String() string { return fmt.Sprintf("%g %%", float64(100*s.Num)/float64(s.Den)) }

// shift moves the share by d per mille; ok is false outside [0, 1].
func (s Share) shift(d int) (moved Share, ok bool) {
	moved = Share{Num: 1000*s.Num + d*s.Den, Den: 1000 * s.Den}
	return moved, moved.Num >= 0 && moved.Num <= moved.Den
}

// Goal is what a test of a share is asked for: a sound mesh is called violated
// with probability at most Alpha, one that is off by Delta per mille is called
// held with probability at most Beta.
type Goal struct {
	Share Share
	Delta int // per mille, the smallest deviation that matters
	Alpha float64
	Beta  float64
}

// Errors of a goal that no test can have.
var (
	ErrGoal       = errors.New("no such test")
	ErrDegenerate = fmt.Errorf("%w: a share of 0 or 1 is refuted by one counterexample, not by a share test", ErrGoal)
)

func (g Goal) check() error {
	switch {
	case g.Share.Den <= 0 || g.Share.Num < 0 || g.Share.Num > g.Share.Den:
		return fmt.Errorf("%w: share %d of %d", ErrGoal, g.Share.Num, g.Share.Den)
	case g.Share.Degenerate():
		return ErrDegenerate
	case g.Delta <= 0 || g.Delta >= 1000:
		return fmt.Errorf("%w: delta of %d per mille", ErrGoal, g.Delta)
	case !(g.Alpha > 0 && g.Alpha < 1) || !(g.Beta > 0 && g.Beta < 1):
		return fmt.Errorf("%w: alpha %g, beta %g", ErrGoal, g.Alpha, g.Beta)
	}
	if _, low := g.Share.shift(-g.Delta); low {
		return nil
	}
	if _, high := g.Share.shift(g.Delta); high {
		return nil
	}
	return fmt.Errorf("%w: every share lies within %d per mille of %s", ErrGoal, g.Delta, g.Share)
}

package claim

import (
	"slices"
	"time"
)

// patient is a claim for which requests that the generator skipped by plan do
// not matter in this promise, though they may in others of its kind: they were
// never sent, so that they are neither answered wrongly nor by anybody.
type patient interface{ gaps() bool }

// mindsGaps says whether skipped requests keep the promise from being judged.
func (r *reading) mindsGaps() bool {
	if r.kind.gaps {
		return false
	}
	claim, ok := r.claim.(patient)
	return !ok || !claim.gaps()
}

// Of the answers alone something is promised.
func (e *every) gaps() bool { return e.answered }

// Who serves is told by who was reached.
func (s *serving) gaps() bool { return true }

// Which version answers is drawn anew for each request. A share of what is read
// later, by number, could not be told from a request that was never there.
func (s *share) gaps() bool { return !s.probe.late() }

// A request that was skipped would have been slow: what takes at least so long
// is shown by the others all the more. What takes at most so long is shown in
// spite of them where they can be counted.
func (l *latency) gaps() bool { return !l.atMost() || l.counts() }

func (l *latency) atMost() bool {
	return slices.ContainsFunc(l.params.Bounds, func(b QuantileBound) bool { return b.AtMostMs > 0 })
}

// counts says whether the skipped requests can be counted: those of a window,
// if all of its requests are selected.
func (l *latency) counts() bool {
	return l.params.Window != "" && l.where == nil && len(l.params.Targets) == 0
}

// fill takes each skipped request as one that was slower than every bound, of
// which nothing else is known.
func (l *latency) fill() {
	if l.atMost() && l.counts() {
		skipped := l.within.planned(l.stage.Load) - l.taken.size()
		l.taken.censored = append(l.taken.censored, make([]time.Duration, max(0, skipped))...)
	}
}

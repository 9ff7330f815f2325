package claim

import "slices"

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
// is shown by the others all the more.
func (l *latency) gaps() bool {
	return !slices.ContainsFunc(l.params.Bounds, func(b QuantileBound) bool { return b.AtMostMs > 0 })
}

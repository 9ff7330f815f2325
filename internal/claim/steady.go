package claim

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// steadiness is what a claim about a fault presupposes: in the window before
// it, nothing failed. Where that does not hold the experiment shows nothing.
type steadiness struct {
	window      string
	traffic     traffic
	from, until time.Duration
	fault       time.Duration // the beginning of what the claim is about
	total       stat.Group    // hits are failures
	odd         oddest
}

func newSteadiness(b brief, window string, t traffic, fault time.Duration) (steadiness, error) {
	s := steadiness{window: window, traffic: t, fault: fault}
	if window == "" {
		return s, nil
	}
	var err error
	s.from, s.until, err = ofName(b, window)
	return s, err
}

func (s *steadiness) observe(o *record.Observation) {
	if s.window == "" || o.Intended < s.from || o.Intended >= s.until || !s.traffic.has(o) {
		return
	}
	s.total.Size++
	if s.traffic.failed(o) && o.Done < s.fault { // what the fault ended it may have broken
		s.total.Hits++
		s.odd.add(o.Seq, func() string { return trail(s.traffic.stage, o) })
	}
}

// broken makes the verdict inconclusive where there was no steady state, or no
// request that could have shown one. Connections that are only opened in the
// fault have no baseline of their own.
func (s *steadiness) broken(v *record.Verdict) bool {
	if s.window == "" || s.total.Hits == 0 && (s.total.Size > 0 || s.traffic.connections != "") {
		return false
	}
	v.FirstOdd = s.odd.text
	inconclusive(v, record.Nature, fmt.Sprintf("the steady state did not hold: %d of %d requests failed in the window %q before the fault", s.total.Hits, s.total.Size, s.window))
	return true
}

package claim

import (
	"math"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// sampleOf is a set of latencies with values of which only a lower limit is
// known: a timeout took at least its timeout, a failed request never became a
// success. They are never dropped: that would make failing fast look fast.
type sampleOf struct {
	known    []time.Duration
	censored []time.Duration
	sorted   bool
}

// elapsed is how long a request took, since when the measure says.
func elapsed(o *record.Observation, measure string) time.Duration {
	if measure == FromSent {
		return o.Done - o.Sent
	}
	return o.Latency()
}

// taken is how long a request took; one that failed took at least that.
type taken struct {
	took  time.Duration
	whole bool
}

func takenBy(o *record.Observation, measure string) taken {
	return taken{elapsed(o, measure), o.Class == record.ClassOK}
}

func (s *sampleOf) add(o *record.Observation, measure string) { s.take(takenBy(o, measure)) }

func (s *sampleOf) take(t taken) {
	s.sorted = false
	if t.whole {
		s.known = append(s.known, t.took)
		return
	}
	s.censored = append(s.censored, t.took)
}

func (s *sampleOf) size() int { return len(s.known) + len(s.censored) }

func (s *sampleOf) sort() {
	if !s.sorted {
		slices.Sort(s.known)
		slices.Sort(s.censored)
		s.sorted = true
	}
}

// upper bounds a quantile from above; censored values lie above all others.
func (s *sampleOf) upper(quantile int, alpha float64) (time.Duration, bool) {
	s.sort()
	r, ok := stat.UpperRank(s.size(), quantile, alpha)
	if !ok || r > len(s.known) {
		return math.MaxInt64, false
	}
	return s.known[r-1], true
}

// lower bounds a quantile from below; a censored value counts as its limit,
// which is below the truth.
func (s *sampleOf) lower(quantile int, alpha float64) (time.Duration, bool) {
	s.sort()
	r, ok := stat.LowerRank(s.size(), quantile, alpha)
	if !ok {
		return 0, false
	}
	all := s.known
	if len(s.censored) > 0 {
		all = slices.Sorted(slices.Values(slices.Concat(s.known, s.censored)))
	}
	return all[r-1], true
}

// point is the observed quantile, for reading only.
func (s *sampleOf) point(quantile int) string {
	s.sort()
	rank := (s.size()*quantile + 999) / 1000
	if rank < 1 || rank > len(s.known) {
		return "beyond what was measured"
	}
	return milliseconds(s.known[rank-1])
}

package gate

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// arm is a version that answered requests of one target.
type arm struct {
	target  int
	version string
}

// mostArms bounds what a hostile record may make us remember of a stage.
const mostArms = 256

// sample is what was measured of one stage: sixteen bytes for each request, since
// an order statistic needs every value, of the stage and of a block.
type sample struct {
	stage    *record.Stage
	known    []time.Duration // latencies of answers, sorted after measure
	censored []time.Duration // of requests that never became an answer: at least so long
	failed   int             // requests that record.Observation.Failed is true of
	blocks   [blockCount][]time.Duration
	arms     map[arm]int
	broken   string // why nothing can be said of the stage
}

func (s *sample) size() int { return len(s.known) + len(s.censored) }

// samples are those of a run, by the name of the stage.
type samples map[string]*sample

// measure walks a run once. A record that is cut leaves its broken stages
// marked, the others stand.
func measure(ctx context.Context, source record.Source) (samples, error) {
	run := source.Run()
	byIndex := make([]*sample, len(run.Stages))
	byName := samples{}
	for i := range run.Stages {
		byIndex[i] = &sample{stage: &run.Stages[i], arms: map[arm]int{}, broken: sickness(&run.Stages[i])}
		byName[run.Stages[i].Name] = byIndex[i]
	}
	err := source.Walk(ctx, record.Handlers{OnObservation: func(o *record.Observation) error {
		if o.Stage >= 0 && o.Stage < len(byIndex) {
			byIndex[o.Stage].add(o)
		}
		return nil
	}})
	var incomplete *record.Incomplete
	if err != nil && !errors.As(err, &incomplete) {
		return nil, err
	}
	for i, s := range byIndex {
		if incomplete != nil && incomplete.Broken(i) {
			s.broken = "the record of the stage is not whole"
		}
		slices.Sort(s.known)
		slices.Sort(s.censored)
	}
	return byName, nil
}

// sickness is why the generator's word on a stage cannot be used.
func sickness(s *record.Stage) string {
	switch {
	case s.Health.Error != "":
		return "the load generator failed"
	case s.Health.Throttled > 0:
		return "the load generator was throttled"
	}
	return ""
}

// punctual is the largest lag of a generator whose latencies mean something.
const punctual = 10 * time.Millisecond

func (s *sample) add(o *record.Observation) {
	if o.Failed() {
		s.failed++
	}
	s.blocks[blockOf(s.stage, o.Seq)] = append(s.blocks[blockOf(s.stage, o.Seq)], o.Latency())
	if o.Class != record.ClassOK {
		s.censored = append(s.censored, o.Latency())
		return
	}
	s.known = append(s.known, o.Latency())
	key := arm{target: o.Target, version: o.Version}
	if _, there := s.arms[key]; there || len(s.arms) < mostArms {
		s.arms[key]++
	}
}

// upper bounds a quantile from above; unanswered requests lie above all others.
func (s *sample) upper(quantile int, alpha float64) (time.Duration, bool) {
	r, ok := stat.UpperRank(s.size(), quantile, alpha)
	if !ok || r > len(s.known) {
		return math.MaxInt64, false
	}
	return s.known[r-1], true
}

// lower bounds a quantile from below; an unanswered request took at least as
// long as it was waited for.
func (s *sample) lower(quantile int, alpha float64) (time.Duration, bool) {
	r, ok := stat.LowerRank(s.size(), quantile, alpha)
	if !ok {
		return 0, false
	}
	return s.at(r), true
}

// at is the value of a rank, from 1, in both lists together.
func (s *sample) at(rank int) time.Duration {
	if len(s.censored) == 0 {
		return s.known[rank-1]
	}
	i, j := 0, 0
	for i+j < rank-1 {
		if j == len(s.censored) || i < len(s.known) && s.known[i] <= s.censored[j] {
			i++
		} else {
			j++
		}
	}
	if j == len(s.censored) || i < len(s.known) && s.known[i] <= s.censored[j] {
		return s.known[i]
	}
	return s.censored[j]
}

// point is the observed quantile.
func (s *sample) point(quantile int) time.Duration {
	if s.size() == 0 {
		return 0
	}
	return s.at(max(1, min(s.size(), (s.size()*quantile+999)/1000)))
}

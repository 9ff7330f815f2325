package claim

import (
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// shift accumulates ShiftParams: the first stage is without, the second with.
type shift struct {
	deaf
	promise record.Promise
	params  ShiftParams
	stages  []*record.Stage
	targets [2]choice
	taken   [2]sampleOf
	calm    [2]*calm // nil where every request counts
	late    [2]int   // requests left out because they were sent late, where there is no calm
}

func openShift(b brief) (accumulator, error) {
	params, err := paramsOf[ShiftParams](b.promise)
	if err != nil {
		return nil, err
	}
	if len(params.Quantiles) == 0 || params.BelowMs <= 0 {
		return nil, fmt.Errorf("a shift needs quantiles and a bound above zero")
	}
	s := &shift{promise: b.promise, params: params, stages: b.stages}
	for i, stage := range b.stages[:min(len(b.stages), len(s.taken))] {
		if s.targets[i], err = chooseTargets(stage, params.Targets); err != nil {
			return nil, err
		}
		if params.Calm == nil {
			continue
		}
		if s.calm[i], err = newCalm(stage, *params.Calm, params.Measure, s.taken[i].take); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *shift) observe(place int, o *record.Observation) {
	if place >= len(s.taken) {
		return
	}
	wanted := s.targets[place].has(o.Target)
	switch {
	case s.calm[place] != nil:
		s.calm[place].observe(o, wanted)
	case wanted && tardy(o, s.params.Measure):
		s.late[place]++
	case wanted:
		s.taken[place].add(o, s.params.Measure)
	}
}

// settled reports that a stage, watched by itself, has enough requests that count.
func (s *shift) settled() bool { return s.taken[0].size() >= max(1, s.promise.N) }

// close ends the samples.
func (s *shift) close(v *record.Verdict) {
	for i, stage := range []string{"without", "with"} {
		if s.calm[i] != nil {
			s.calm[i].close()
			figure(v, stage+": left out, not calm", s.calm[i].out)
		}
		if s.late[i] > 0 {
			figure(v, stage+": left out, sent late", s.late[i])
		}
	}
}

func (s *shift) verdict(v *record.Verdict) {
	s.close(v)
	v.N = min(s.taken[0].size(), s.taken[1].size())
	v.Declared = fmt.Sprintf("no quantile grows by %g ms", s.params.BelowMs)
	v.Allowed = fmt.Sprintf("below %g ms", s.params.BelowMs)
	var observed, refuted, open []string
	for _, q := range s.params.Quantiles {
		p := s.judge(q)
		observed = append(observed, fmt.Sprintf("%s %s → %s", quantileName(q), s.taken[0].point(q), s.taken[1].point(q)))
		figure(v, quantileName(q), p.text)
		excuse := starved(s.stages...)
		switch {
		case p.refuted && excuse == "":
			refuted = append(refuted, p.text)
		case p.refuted:
			open = append(open, p.text+", but "+excuse)
		case !p.shown:
			open = append(open, p.text)
		}
	}
	v.Observed = strings.Join(observed, ", ")
	switch {
	case len(refuted) > 0:
		v.Signature = fmt.Sprintf("latency grew by more than %g ms", s.params.BelowMs)
		violated(v, "%s", strings.Join(refuted, ", "))
	case tooFew(v, s.promise):
	case len(open) > 0:
		inconclusive(v, record.Nature, strings.Join(open, ", ")+": neither shown nor refuted")
	default:
		held(v, "every shift is shown to be below %g ms with confidence %g", s.params.BelowMs, 1-s.promise.Beta)
	}
}

// judge bounds the difference of one quantile by the bounds of both stages at
// half the error each (Bonferroni): [L1-U0, U1-L0].
func (s *shift) judge(q int) proof {
	limit := fromMilliseconds(s.params.BelowMs)
	name := quantileName(q)
	beta, alpha := s.promise.Beta/2, s.promise.Alpha/2/float64(len(s.params.Quantiles))
	after, okAfter := s.taken[1].upper(q, beta)
	before, okBefore := s.taken[0].lower(q, beta)
	p := proof{text: name + " has no bound"}
	if okAfter && okBefore {
		p.shown = after-before < limit
		p.text = fmt.Sprintf("%s grew by at most %s", name, milliseconds(after-before))
	}
	least, okLeast := s.taken[1].lower(q, alpha)
	most, okMost := s.taken[0].upper(q, alpha)
	if okLeast && okMost && least-most > limit {
		p.refuted = true
		p.text = fmt.Sprintf("%s grew by at least %s", name, milliseconds(least-most))
	}
	return p
}

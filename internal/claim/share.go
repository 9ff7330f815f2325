package claim

import (
	"fmt"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// Flags of a request for a share.
const (
	flagMine    uint8 = 1 << iota // observed, and of a chosen target
	flagSeen                      // has what the observation shows
	flagMirror                    // a copy arrived
	flagContext                   // a trace context arrived
	flagSampled                   // and was sampled
	flagSpan                      // the sink has a span
)

// Outcomes of a request in intended order.
const (
	without uint8 = 1
	with    uint8 = 2
)

// share accumulates ShareParams.
type share struct {
	deaf
	promise record.Promise
	params  ShareParams
	stage   *record.Stage
	targets choice
	probe   probe
	within  stretch
	flags   marks
	order   order
	design  *stat.Sequential // nil for a share of none or all
	trial   *stat.Trial
	size    int // that none or all need
	total   stat.Group
	conns   conns
	came    []connection // by Seq, where the property is only collected later
	odd     oddest
}

func openShare(b brief) (accumulator, error) {
	params, err := paramsOf[ShareParams](b.promise)
	if err != nil {
		return nil, err
	}
	s := &share{promise: b.promise, params: params, stage: b.stages[0], conns: conns{}}
	if s.probe, err = newProbe(params.Of); err != nil {
		return nil, err
	}
	if s.targets, err = chooseTargets(s.stage, params.Targets); err != nil {
		return nil, err
	}
	s.order.feed = s.judge
	if s.within, err = s.stretch(b); err != nil {
		return nil, err
	}
	return s, s.plan()
}

// plan designs the test; a share of none or all has a size instead.
func (s *share) plan() (err error) {
	goal := stat.Goal{Share: stat.PerMille(s.params.PerMille), Delta: s.promise.Delta, Alpha: s.promise.Alpha, Beta: s.promise.Beta}
	if goal.Share.Degenerate() {
		s.size, err = zeroFailures(s.promise)
		return err
	}
	if s.design, err = stat.DesignSequential(goal); err != nil {
		return fmt.Errorf("design the test of %s: %w", s.params.Label, err)
	}
	s.trial = s.design.Begin()
	return nil
}

func (s *share) observe(_ int, o *record.Observation) {
	if !s.targets.has(o.Target) || !s.within.has(o) {
		s.order.put(o.Seq, notMine)
		return
	}
	seen := s.probe.seen(o)
	if !s.probe.late() {
		if s.counters(seen) {
			s.odd.add(o.Seq, func() string { return trail(s.stage, o) })
		}
		s.conns.add(connectionOf(o.Client, o.Conn), seen)
		s.order.put(o.Seq, outcomeOf(seen))
		return
	}
	s.flag(o.Seq, flagMine)
	s.cameBy(o)
	if seen {
		s.flag(o.Seq, flagSeen)
	}
}

func (s *share) cameBy(o *record.Observation) {
	if o.Seq < 0 || o.Seq >= s.stage.Load.Hits {
		return
	}
	for len(s.came) <= o.Seq {
		s.came = append(s.came, 0)
	}
	s.came[o.Seq] = connectionOf(o.Client, o.Conn)
}

func outcomeOf(has bool) uint8 {
	if has {
		return with
	}
	return without
}

func (s *share) flag(seq int, flag uint8) {
	if cell := s.flags.at(seq, s.stage.Load.Hits); cell != nil {
		*cell |= flag
	}
}

func (s *share) arrive(_ int, a *record.Arrival) {
	if !s.probe.late() || a.Source != "" {
		return
	}
	if m := s.params.Of.Mirrored; m != nil && m.matches(a.Service, a.Version) {
		s.flag(a.Seq, flagMirror)
	}
	if sampled, known := traceFlag(a.Traceparent); known {
		s.flag(a.Seq, flagContext)
		if sampled {
			s.flag(a.Seq, flagSampled)
		}
	}
}

func (s *share) span(_ int, sp *record.Span) {
	if s.params.Of.Exported {
		s.flag(sp.Seq, flagSpan)
	}
}

// counters reports an outcome that a share of none or all forbids.
func (s *share) counters(has bool) bool {
	return has && s.params.PerMille == 0 || !has && s.params.PerMille == 1000
}

// judge takes one request in intended order.
func (s *share) judge(_ int, outcome uint8) {
	if s.trial != nil && s.trial.Decision != stat.Open {
		return
	}
	s.total.Size++
	if outcome == with {
		s.total.Hits++
	}
	if s.trial != nil {
		s.trial.Add(outcome == with)
	}
}

// settled reports that further requests cannot change the verdict.
func (s *share) settled() bool {
	if s.trial != nil {
		return s.trial.Decision != stat.Open
	}
	return s.odd.text != "" || s.total.Size >= s.size
}

// collect judges requests whose property is only known now.
func (s *share) collect() (reason string) {
	blind := 0
	for seq, flags := range s.flags {
		if flags&flagMine == 0 {
			s.order.put(seq, notMine)
			continue
		}
		if s.params.Of.Sampled && flags&flagContext == 0 {
			blind++
		}
		has := flags&flagSeen != 0 && s.collected(flags)
		if s.counters(has) {
			s.odd.add(seq, func() string { return bare(s.stage, seq) })
		}
		s.conns.add(s.came[seq], has)
		s.order.put(seq, outcomeOf(has))
	}
	if blind > 0 {
		return fmt.Sprintf("%d requests arrived without a trace context", blind)
	}
	return ""
}

func (s *share) collected(flags uint8) bool {
	of := s.params.Of
	return (of.Mirrored == nil || flags&flagMirror != 0) &&
		(!of.Sampled || flags&flagSampled != 0) &&
		(!of.Exported || flags&flagSpan != 0)
}

func (s *share) verdict(v *record.Verdict) {
	reason := ""
	if s.probe.late() {
		reason = s.collect()
	}
	s.order.rest()
	v.N = s.total.Size
	v.Declared = fmt.Sprintf("%s %s", s.params.Label, stat.PerMille(s.params.PerMille))
	v.Observed = fmt.Sprintf("%s %s", s.params.Label, ratio(s.total.Hits, s.total.Size))
	figure(v, "hits "+s.params.Label, s.total.Hits)
	figure(v, "share "+s.params.Label, fmt.Sprintf("%.5f", float64(s.total.Hits)/float64(max(1, s.total.Size))))
	switch {
	case reason != "":
		inconclusive(v, record.Harness, reason)
	case s.trial == nil:
		s.concludeAll(v)
	default:
		s.conclude(v)
	}
}

// concludeAll judges a share of none or all.
func (s *share) concludeAll(v *record.Verdict) {
	v.Allowed = fmt.Sprintf("%s %s, without exception", s.params.Label, stat.PerMille(s.params.PerMille))
	if s.odd.text != "" {
		v.FirstOdd, v.Signature = s.odd.text, v.Allowed+": violated"
		violated(v, "%s was promised for %s of requests and seen for %s", s.params.Label, stat.PerMille(s.params.PerMille), ratio(s.total.Hits, s.total.Size))
		return
	}
	if v.N < s.size {
		inconclusive(v, record.Harness, fmt.Sprintf("%d of at least %d requests were seen", v.N, s.size))
		return
	}
	held(v, "%s, without exception", v.Declared)
}

func (s *share) conclude(v *record.Verdict) {
	lo, hi := s.design.Band(s.trial.N)
	v.Allowed = fmt.Sprintf("%d..%d of %d at alpha %s", lo, hi, s.trial.N, probability(s.promise.Alpha))
	figure(v, "false alarm", probability(s.design.FalseLow+s.design.FalseHigh))
	figure(v, "miss", probability(max(s.design.MissLow, s.design.MissHigh)))
	switch s.trial.Decision {
	case stat.Open:
		inconclusive(v, record.Harness, fmt.Sprintf("the requests ended after %d of at most %d, undecided", s.trial.N, s.design.N))
	case stat.Held:
		s.conns.believed(v, s.promise.Alpha, fmt.Sprintf("the share is as declared, within %g points", float64(s.promise.Delta)/10))
	default:
		v.P, v.Signature = "≤ "+probability(s.trial.P())+", valid at any look", fmt.Sprintf("%s is too %s", s.params.Label, s.trial.Decision)
		violated(v, "%s: the line was crossed at request %d of at most %d", v.Signature, s.trial.N, s.design.N)
	}
}

package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// oddArm is the outcome of a request that no declared version answered; arms
// are numbered from 1.
const oddArm = reserved

// mostArms fits arms into the bits of the ledger's byte.
const mostArms = 6

// split accumulates SplitParams.
type split struct {
	deaf
	promise record.Promise
	params  SplitParams
	stage   *record.Stage
	targets choice
	order   order
	tests   []armTest
	tally   []int // answers per arm so far in intended order; index 0 is odd answers
	shown   []int // tally when the last test was decided
	judged  int   // requests in tally
	decided int   // requests in shown
	odd     oddest
	zeroHit oddest
	paths   *paths
	conns   conns // of the first arm
	ledger  ledger
}

// armTest is the sequential test of one arm.
type armTest struct {
	arm    uint8
	design *stat.Sequential
	trial  *stat.Trial
}

func openSplit(b brief) (accumulator, error) {
	params, err := paramsOf[SplitParams](b.promise)
	if err != nil {
		return nil, err
	}
	targets, err := chooseTargets(b.stages[0], params.Targets)
	if err != nil {
		return nil, err
	}
	s := &split{promise: b.promise, params: params, stage: b.stages[0], targets: targets, conns: conns{}}
	if s.tests, err = armTests(b.promise, params.Arms); err != nil {
		return nil, err
	}
	s.tally = make([]int, len(params.Arms)+1)
	s.paths = newPaths(s.stage, len(params.Arms))
	s.order.feed = s.judge
	return s, nil
}

// armTests designs the tests of the arms above zero. Two arms are one test;
// more are one each at a share of alpha. All weight on one arm needs none.
func armTests(p record.Promise, arms []Arm) ([]armTest, error) {
	total, positive := 0, []uint8{}
	if len(arms) == 0 || len(arms) > mostArms {
		return nil, fmt.Errorf("a split over %d versions, 1 to %d can be judged", len(arms), mostArms)
	}
	for i, arm := range arms {
		if arm.Weight < 0 {
			return nil, fmt.Errorf("version %s has weight %d", arm.Version, arm.Weight)
		}
		if total += arm.Weight; arm.Weight > 0 {
			positive = append(positive, uint8(i+1))
		}
	}
	if total == 0 {
		return nil, fmt.Errorf("all weights are zero: nothing is promised")
	}
	goal := stat.Goal{Delta: p.Delta, Alpha: p.Alpha / float64(len(positive)), Beta: p.Beta}
	if len(positive) == 2 {
		positive, goal.Alpha = positive[:1], p.Alpha
	}
	var tests []armTest
	for _, arm := range positive {
		if goal.Share = (stat.Share{Num: arms[arm-1].Weight, Den: total}); goal.Share.Degenerate() {
			break
		}
		design, err := stat.DesignSequential(goal)
		if err != nil {
			return nil, fmt.Errorf("design the test of %s: %w", arms[arm-1].Version, err)
		}
		tests = append(tests, armTest{arm: arm, design: design, trial: design.Begin()})
	}
	return tests, nil
}

func (s *split) armOf(service, version string) uint8 {
	if s.params.Service != "" && service != s.params.Service {
		return oddArm
	}
	for i, arm := range s.params.Arms {
		if arm.Version == version {
			return uint8(i + 1)
		}
	}
	return oddArm
}

func (s *split) observe(_ int, o *record.Observation) {
	if !s.targets.has(o.Target) {
		s.order.put(o.Seq, notMine)
		return
	}
	arm := oddArm
	if o.Class == record.ClassOK {
		arm = s.armOf(o.Service, o.Version)
	}
	switch {
	case arm == oddArm:
		s.odd.add(o.Seq, func() string { return trail(s.stage, o) })
	case s.params.Arms[arm-1].Weight == 0:
		s.zeroHit.add(o.Seq, func() string { return trail(s.stage, o) })
	}
	if arm != oddArm {
		s.paths.add(arm, o)
		s.conns.add(connectionOf(o.Client, o.Conn), arm == 1)
	}
	s.order.put(o.Seq, arm)
}

func (s *split) arrive(_ int, a *record.Arrival) {
	if s.params.HeaderOnly || a.Source != "" || s.params.Service != "" && a.Service != s.params.Service {
		return
	}
	s.ledger.add(a.Seq, s.stage.Load.Hits, s.armOf(a.Service, a.Version))
}

// judge takes one request in intended order.
func (s *split) judge(_ int, arm uint8) {
	s.judged++
	if arm == oddArm {
		s.tally[0]++
	} else {
		s.tally[arm]++
	}
	if s.shown != nil {
		return
	}
	open := len(s.tests) == 0 // nothing is drawn, so nothing is decided before the end
	for _, t := range s.tests {
		open = t.trial.Add(arm == t.arm) == stat.Open || open
	}
	if !open {
		s.shown, s.decided = slices.Clone(s.tally), s.judged
	}
}

// settled reports that further requests cannot change the verdict's numbers.
func (s *split) settled() bool {
	if s.odd.text != "" || s.zeroHit.text != "" {
		return true
	}
	return s.shown != nil && s.judged >= s.zeroSize() && s.paths.shortage(s.params) == ""
}

// zeroSize is how many requests show that an arm without weight gets none.
func (s *split) zeroSize() int {
	for _, arm := range s.params.Arms {
		if arm.Weight > 0 && len(s.tests) > 0 {
			continue
		}
		n, err := zeroFailures(s.promise)
		if err != nil {
			return mostRequests // no beta, no delta: never enough
		}
		return n
	}
	return 0
}

func (s *split) verdict(v *record.Verdict) {
	s.describe(v)
	if s.contradicted(v) {
		return // by one request, however few connections there were
	}
	if reason := s.paths.shortage(s.params); reason != "" {
		inconclusive(v, record.Harness, reason)
		return
	}
	if !s.params.HeaderOnly && s.disagrees(v) {
		return
	}
	if s.outOfBand(v) {
		return
	}
	for _, t := range s.tests {
		if t.trial.Decision == stat.Open {
			inconclusive(v, record.Harness, fmt.Sprintf("the requests ended after %d of at most %d, undecided", t.trial.N, t.design.N))
			return
		}
	}
	if need := s.zeroSize(); s.judged < need {
		inconclusive(v, record.Harness, fmt.Sprintf("%d of at least %d requests were seen", s.judged, need))
		return
	}
	s.conns.believed(v, s.promise.Alpha, fmt.Sprintf("the split is as declared, within %g points", float64(s.promise.Delta)/10))
}

// contradicted reports what no split as declared can give.
func (s *split) contradicted(v *record.Verdict) bool {
	switch {
	case s.odd.text != "":
		v.FirstOdd, v.Signature = s.odd.text, "answers from no declared version"
		violated(v, "%d of %d requests were answered by no declared version", s.tally[0], s.judged)
	case s.zeroHit.text != "":
		v.FirstOdd, v.Signature = s.zeroHit.text, "an arm of weight 0 was hit"
		violated(v, "an arm of weight 0 received requests: %s", s.zeroArms())
	default:
		return false
	}
	return true
}

func (s *split) zeroArms() string {
	var parts []string
	for i, arm := range s.params.Arms {
		if arm.Weight == 0 && s.tally[i+1] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d of %d", arm.Version, s.tally[i+1], s.judged))
		}
	}
	return strings.Join(parts, ", ")
}

// outOfBand reports arms whose test crossed a violated line.
func (s *split) outOfBand(v *record.Verdict) bool {
	var off []string
	for _, t := range s.tests {
		if t.trial.Decision != stat.Low && t.trial.Decision != stat.High {
			continue
		}
		version := s.params.Arms[t.arm-1].Version
		off = append(off, fmt.Sprintf("%s is too %s", version, t.trial.Decision))
		if v.FirstOdd == "" {
			v.P = "≤ " + probability(t.trial.P()) + ", valid at any look"
			v.FirstOdd = s.paths.oddest(t.arm, t.trial.Decision == stat.High)
		}
	}
	if len(off) == 0 {
		return false
	}
	v.Signature = strings.Join(off, ", ")
	violated(v, "%s: the line was crossed at request %d of at most %d", v.Signature, s.decided, s.promise.N)
	return true
}

package claim

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// reading is one promise being judged.
type reading struct {
	promise     record.Promise
	run         *record.Run
	kind        kind
	indexes     []int // of its stages in the run
	claim       accumulator
	unsupported string
	failed      string // why there can be no verdict: the harness's fault
}

// brief is what a claim is opened with.
type brief struct {
	promise record.Promise
	stages  []*record.Stage
	run     *record.Run
}

func newReading(run *record.Run, promise record.Promise) *reading {
	r := &reading{promise: promise, run: run}
	if r.unsupported = lacking(run.Environment, promise); r.unsupported != "" {
		return r
	}
	known, ok := kinds()[promise.Kind]
	if !ok {
		r.failed = fmt.Sprintf("no claim of kind %q", promise.Kind)
		return r
	}
	r.kind = known
	b := brief{promise: promise, run: run}
	for _, name := range promise.Stages {
		index, stage, found := run.StageNamed(name)
		if !found {
			r.failed = fmt.Sprintf("the record has no stage %q", name)
			return r
		}
		r.indexes, b.stages = append(r.indexes, index), append(b.stages, stage)
	}
	r.open(b)
	return r
}

func (r *reading) open(b brief) {
	if len(b.stages) < max(1, r.kind.stages) {
		r.failed = fmt.Sprintf("kind %s needs %d stages, the promise names %d", b.promise.Kind, max(1, r.kind.stages), len(b.stages))
		return
	}
	if r.failed = presupposed(b); r.failed != "" {
		return
	}
	defer r.rescue()
	claim, err := r.kind.open(b)
	if err != nil {
		r.failed = "promise cannot be judged: " + err.Error()
		return
	}
	r.claim = claim
}

func lacking(e record.Environment, p record.Promise) string {
	for _, ability := range p.Requires {
		for _, lack := range e.Lacks {
			if lack.Ability == ability {
				return ability + ": " + lack.Reason
			}
		}
	}
	return ""
}

// deaf reports that nothing more is shown to the claim: it has failed.
func (r *reading) deaf() bool { return r.claim == nil || r.failed != "" }

// Each step is guarded by itself: a panic is the harness's failure and never a
// verdict about the mesh.

func (r *reading) observe(place int, o *record.Observation) {
	if r.deaf() {
		return
	}
	defer r.rescue()
	r.claim.observe(place, o)
}

func (r *reading) arrive(place int, a *record.Arrival) {
	if r.deaf() {
		return
	}
	defer r.rescue()
	r.claim.arrive(place, a)
}

func (r *reading) span(place int, s *record.Span) {
	if r.deaf() {
		return
	}
	defer r.rescue()
	r.claim.span(place, s)
}

func (r *reading) sample(place int, s *record.Sample) {
	if r.deaf() {
		return
	}
	defer r.rescue()
	r.claim.sample(place, s)
}

func (r *reading) conclude(v *record.Verdict) {
	if r.deaf() {
		return
	}
	defer r.rescue()
	r.claim.verdict(v)
}

func (r *reading) rescue() {
	if cause := recover(); cause != nil {
		r.failed = fmt.Sprintf("the claim panicked: %v at %s", cause, panicSite(string(debug.Stack())))
	}
}

// panicSite finds the line of this module that panicked in a stack dump.
func panicSite(stack string) string {
	_, below, _ := strings.Cut(stack, "panic(")
	for line := range strings.Lines(below) {
		if strings.Contains(line, "/internal/") && strings.Contains(line, ".go:") {
			site, _, _ := strings.Cut(strings.TrimSpace(line), " +")
			_, within, _ := strings.Cut(site, "/internal/")
			return "internal/" + within
		}
	}
	return "an unknown line"
}

// close gives the verdict after the walk.
func (r *reading) close(p *panel, walk error) record.Verdict {
	v := r.identity()
	if r.unsupported != "" {
		v.Verdict, v.Reason = record.Unsupported, r.unsupported
		v.Detail = "not judged: the environment does not offer " + r.unsupported
		return v
	}
	if r.failed == "" {
		r.failed = r.unfit(p, walk)
	}
	if r.failed == "" {
		judged := v
		r.conclude(&judged)
		if r.failed == "" {
			return settle(judged)
		}
	}
	inconclusive(&v, record.Harness, r.failed)
	return v
}

func (r *reading) identity() record.Verdict {
	v := record.Verdict{
		ID: r.promise.ID, Task: r.promise.Task, Title: r.promise.Title, Unit: r.promise.Unit,
		Alpha: r.promise.Alpha, Beta: r.promise.Beta, Delta: r.promise.Delta,
		StandIn: r.promise.AboutNodeProxy && r.run.Environment.HasStandIn(),
	}
	for _, index := range r.indexes {
		v.Config = append(v.Config, r.run.Stages[index].Config...)
	}
	return v
}

// unfit says why the record does not allow a verdict, or "".
func (r *reading) unfit(p *panel, walk error) string {
	var incomplete *record.Incomplete
	if walk != nil && !errors.As(walk, &incomplete) {
		return "the record could not be read: " + walk.Error()
	}
	for _, index := range r.indexes {
		if incomplete != nil && incomplete.Broken(index) {
			return fmt.Sprintf("stage %s: %v", r.run.Stages[index].Name, incomplete.Cause)
		}
		if reason := p.attendance[index].unfit(r.kind, toleranceOf(r.promise), r.mindsGaps()); reason != "" {
			return fmt.Sprintf("stage %s: %s", r.run.Stages[index].Name, reason)
		}
	}
	return ""
}

// Timed reports that a promise is about time: the generator that it is judged by
// must keep its schedule, for which the machine had better be calm.
func Timed(promise record.Promise) bool {
	return kinds()[promise.Kind].timed || toleranceOf(promise) != loose
}

// toleranceOf is how late requests may have been sent for a promise.
func toleranceOf(promise record.Promise) tolerance {
	switch promise.Kind {
	case KindShare:
		params, err := paramsOf[ShareParams](promise)
		if err != nil {
			return punctual
		}
		return params.Of.tolerance()
	case KindLatency:
		params, err := paramsOf[LatencyParams](promise)
		if err != nil || params.Measure != FromSent || params.Where != nil && params.Where.tolerance() == punctual {
			return punctual
		}
		return loose // it leaves out by itself what was sent late
	case KindShift:
		params, err := paramsOf[ShiftParams](promise)
		if err != nil || params.Measure != FromSent {
			return punctual
		}
		return loose // as does this
	}
	if kinds()[promise.Kind].timed {
		return punctual
	}
	return loose
}

// tolerance is how late requests may have been sent for the property to be told.
func (p Predicate) tolerance() tolerance {
	switch {
	case p.SlowerMs == 0 && p.FasterMs == 0:
		return loose
	case p.Measure == FromSent:
		return prompt
	}
	return punctual
}

// settle makes sure that a claim said something: silence is inconclusive.
func settle(v record.Verdict) record.Verdict {
	if v.Verdict == "" {
		inconclusive(&v, record.Harness, "the claim gave no verdict")
	}
	return v
}

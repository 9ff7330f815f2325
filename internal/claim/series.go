package claim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// series accumulates SeriesParams: the samples of the series that conditions
// are about. Samples are few, one or so per second.
type series struct {
	deaf
	promise record.Promise
	params  SeriesParams
	base    time.Time
	end     time.Time
	thin    string // why what was offered may have been too little
	samples map[string][]record.Sample
}

func openSeries(b brief) (accumulator, error) {
	params, err := paramsOf[SeriesParams](b.promise)
	if err != nil {
		return nil, err
	}
	if len(params.Conditions) == 0 {
		return nil, fmt.Errorf("no condition is given")
	}
	s := &series{promise: b.promise, params: params, samples: map[string][]record.Sample{}, base: b.stages[0].Base}
	for _, stage := range b.stages {
		if stage.Ended.After(s.end) {
			s.end = stage.Ended
		}
		s.thin = cmp.Or(s.thin, thin(stage))
	}
	for _, c := range params.Conditions {
		if err := c.check(); err != nil {
			return nil, err
		}
		s.samples[c.Series] = nil
	}
	return s, nil
}

// fullLoad is how many of the planned requests, per cent, have to be sent for
// what a load should have brought about to be missed.
const fullLoad = 80

// thin says that a stage's generator offered much less than it should have, or
// "". What is reached under less load is reached all the same.
func thin(stage *record.Stage) string {
	h := stage.Health
	if due := h.Sent + h.Skipped; 100*h.Sent < fullLoad*due {
		return fmt.Sprintf("but the load generator sent only %d of %d requests that were due in stage %s", h.Sent, due, stage.Name)
	}
	return ""
}

func (c SeriesCondition) check() error {
	if c.Reach == nil && c.Never == nil && c.Always == nil && c.Last == nil && c.Occurs == nil && c.Text == "" {
		return fmt.Errorf("condition on %s says nothing", c.Series)
	}
	for _, r := range []*Range{c.Reach, c.Never, c.Always, c.Last} {
		if r != nil && *r == (Range{}) {
			return fmt.Errorf("a range of the condition on %s is empty", c.Series)
		}
	}
	return nil
}

func (s *series) sample(_ int, sm *record.Sample) {
	if kept, wanted := s.samples[sm.Series]; wanted {
		s.samples[sm.Series] = append(kept, *sm)
	}
}

// holds reports whether a value is in the range.
func (r Range) holds(value float64) bool {
	return (r.AtLeast == nil || value >= *r.AtLeast) && (r.AtMost == nil || value <= *r.AtMost) &&
		(r.Above == nil || value > *r.Above) && (r.Below == nil || value < *r.Below)
}

// String is the range in words.
func (r Range) String() string {
	var parts []string
	for _, side := range []struct {
		sign  string
		limit *float64
	}{{"≥", r.AtLeast}, {">", r.Above}, {"≤", r.AtMost}, {"<", r.Below}} {
		if side.limit != nil {
			parts = append(parts, fmt.Sprintf("%s %g", side.sign, *side.limit))
		}
	}
	return strings.Join(parts, " and ")
}

func (s *series) verdict(v *record.Verdict) {
	var observed, allowed, wrong, open []string
	for _, c := range s.params.Conditions {
		samples := s.samples[c.Series]
		slices.SortStableFunc(samples, func(a, b record.Sample) int { return a.At.Compare(b.At) })
		v.N += len(samples)
		observed, allowed = append(observed, tellSeries(c.Series, samples)), append(allowed, c.String())
		bad, missing := s.judge(c, samples)
		for _, reason := range bad {
			wrong = append(wrong, c.Series+" "+reason)
		}
		if missing != "" {
			open = append(open, c.Series+" "+missing)
		}
	}
	v.Observed, v.Allowed = strings.Join(observed, "; "), strings.Join(allowed, "; ")
	v.Declared = v.Allowed
	switch {
	case len(wrong) > 0:
		v.Signature = strings.Join(wrong, "; ")
		violated(v, "%s", v.Signature)
	case len(open) > 0:
		inconclusive(v, record.Harness, strings.Join(open, "; "))
	default:
		held(v, "every condition holds over %d samples", v.N)
	}
}

func tellSeries(name string, samples []record.Sample) string {
	if len(samples) == 0 {
		return name + " no samples"
	}
	least, most := samples[0].Value, samples[0].Value
	for _, sm := range samples {
		least, most = min(least, sm.Value), max(most, sm.Value)
	}
	return fmt.Sprintf("%s %g..%g, last %g (%d samples)", name, least, most, samples[len(samples)-1].Value, len(samples))
}

// String is the condition in words.
func (c SeriesCondition) String() string {
	var parts []string
	if c.Reach != nil {
		parts = append(parts, "reaches "+c.Reach.String()+c.deadline())
	}
	if c.Never != nil {
		parts = append(parts, "never "+c.Never.String())
	}
	if c.Always != nil {
		parts = append(parts, "always "+c.Always.String())
	}
	if c.Last != nil {
		parts = append(parts, "in the end "+c.Last.String())
	}
	if c.Text != "" {
		parts = append(parts, fmt.Sprintf("always %q", c.Text))
	}
	if c.Occurs != nil {
		parts = append(parts, fmt.Sprintf("%g at least %d times", c.Occurs.Value, c.Occurs.AtLeast))
	}
	return c.Series + " " + strings.Join(parts, ", ")
}

func (c SeriesCondition) deadline() string {
	if c.WithinMs == 0 {
		return ""
	}
	return fmt.Sprintf(" within %v", c.within())
}

func (c SeriesCondition) within() time.Duration { return time.Duration(c.WithinMs) * time.Millisecond }

// judge holds one condition against its samples in time order: what is wrong,
// and what is missing to say.
func (s *series) judge(c SeriesCondition, samples []record.Sample) (wrong []string, missing string) {
	if len(samples) == 0 {
		return nil, "has no samples"
	}
	wrong = s.wrongAlways(c, samples)
	if c.Last != nil && !c.Last.holds(samples[len(samples)-1].Value) {
		wrong = append(wrong, fmt.Sprintf("ends at %g, want %s", samples[len(samples)-1].Value, c.Last))
	}
	if c.Occurs != nil {
		if n := c.Occurs.count(samples); n < c.Occurs.AtLeast {
			wrong = append(wrong, fmt.Sprintf("is %g %d times, want %d", c.Occurs.Value, n, c.Occurs.AtLeast))
		}
	}
	late, missing := s.judgeReach(c, samples)
	switch {
	case late != "" && s.thin != "":
		missing = late + ", " + s.thin
	case late != "":
		wrong = append(wrong, late)
	}
	return wrong, cmp.Or(missing, gap(c, samples))
}

// wrongAlways reports the first value of each kind that no sample may have.
func (s *series) wrongAlways(c SeriesCondition, samples []record.Sample) (wrong []string) {
	var never, always, text bool
	for _, sm := range samples {
		if c.Never != nil && !never && c.Never.holds(sm.Value) {
			never = true
			wrong = append(wrong, fmt.Sprintf("was %g, want never %s", sm.Value, c.Never))
		}
		if c.Always != nil && !always && !c.Always.holds(sm.Value) {
			always = true
			wrong = append(wrong, fmt.Sprintf("was %g, want always %s", sm.Value, c.Always))
		}
		if c.Text != "" && !text && sm.Text != c.Text {
			text = true
			wrong = append(wrong, fmt.Sprintf("was %q, want %q", sm.Text, c.Text))
		}
	}
	return wrong
}

func (o Occurs) count(samples []record.Sample) int {
	n := 0
	for _, sm := range samples {
		if sm.Value == o.Value && (o.Text == "" || sm.Text == o.Text) {
			n++
		}
	}
	return n
}

// judgeReach is late if the deadline passed, missing if the stage ended before
// it.
func (s *series) judgeReach(c SeriesCondition, samples []record.Sample) (late, missing string) {
	if c.Reach == nil {
		return "", ""
	}
	limit := s.base.Add(c.within())
	for _, sm := range samples {
		if c.Reach.holds(sm.Value) && (c.WithinMs == 0 || !sm.At.After(limit)) {
			return "", ""
		}
	}
	last := samples[len(samples)-1].At
	if c.WithinMs > 0 && last.Before(limit) && s.end.Before(limit) {
		return "", fmt.Sprintf("was only watched for %v of %v", last.Sub(s.base).Round(time.Second), c.within())
	}
	return fmt.Sprintf("never was %s%s", c.Reach, c.deadline()), ""
}

func gap(c SeriesCondition, samples []record.Sample) string {
	most := time.Duration(c.MaxGapMs) * time.Millisecond
	for i := 1; most > 0 && i < len(samples); i++ {
		if between := samples[i].At.Sub(samples[i-1].At); between > most {
			return fmt.Sprintf("was not sampled for %v, at most %v", between, most)
		}
	}
	return ""
}

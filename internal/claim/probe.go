package claim

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// probe evaluates a Predicate. Part of it is seen in the observation, part only
// in what was collected later.
type probe struct {
	want Predicate
}

var errEmptyPredicate = errors.New("the predicate asks for nothing")

func newProbe(p Predicate) (probe, error) {
	if p == (Predicate{Measure: p.Measure}) {
		return probe{}, errEmptyPredicate
	}
	if p.Measure != "" && p.Measure != FromSent && p.Measure != FromIntended {
		return probe{}, fmt.Errorf("no measure %q", p.Measure)
	}
	return probe{want: p}, nil
}

// late reports whether the answer depends on arrivals or spans.
func (p probe) late() bool { return p.want.Mirrored != nil || p.want.Sampled || p.want.Exported }

// seen evaluates what the observation shows.
func (p probe) seen(o *record.Observation) bool {
	w := p.want
	took := elapsed(o, w.Measure)
	switch {
	case w.Status != 0 && o.Status != w.Status,
		w.Version != "" && o.Version != w.Version,
		w.Pod != "" && o.Pod != w.Pod,
		w.Class != "" && string(o.Class) != w.Class,
		w.SlowerMs != 0 && took < time.Duration(w.SlowerMs)*time.Millisecond,
		w.FasterMs != 0 && took >= time.Duration(w.FasterMs)*time.Millisecond:
		return false
	}
	return true
}

func (s Selector) matches(service, version string) bool {
	return (s.Service == "" || s.Service == service) && (s.Version == "" || s.Version == version)
}

// traceFlag reads the sampled flag of a W3C trace context
// (version-traceid-parentid-flags); known is false where there is none.
func traceFlag(traceparent string) (sampled, known bool) {
	parts := strings.Split(traceparent, "-")
	if len(parts) < 4 || len(parts[1]) != 32 || len(parts[3]) != 2 {
		return false, false
	}
	last := parts[3][1]
	digit := strings.IndexByte("0123456789abcdef", last)
	return digit >= 0 && digit%2 == 1, digit >= 0
}

package claim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// traces accumulates TracesParams.
type traces struct {
	deaf
	promise record.Promise
	params  TracesParams
	stage   *record.Stage
	flags   marks // flagMine, flagContext, flagSampled
	spans   marks // count per request
	seen    int
	byTrace map[string]*trace
	strange []string // names and services that nobody expects, few
	orphans int      // spans of no request
}

// trace is what is needed to see whether one is whole.
type trace struct {
	seq     int
	ids     []string
	parents []string
}

func openTraces(b brief) (accumulator, error) {
	params, err := paramsOf[TracesParams](b.promise)
	if err != nil {
		return nil, err
	}
	params.MinSpans = cmp.Or(params.MinSpans, 1)
	return &traces{promise: b.promise, params: params, stage: b.stages[0], byTrace: map[string]*trace{}}, nil
}

func (t *traces) flag(seq int, flag uint8) {
	if cell := t.flags.at(seq, t.stage.Load.Hits); cell != nil {
		*cell |= flag
	}
}

func (t *traces) observe(_ int, o *record.Observation) {
	t.seen++
	t.flag(o.Seq, flagMine)
}

func (t *traces) arrive(_ int, a *record.Arrival) {
	sampled, known := traceFlag(a.Traceparent)
	if !known || a.Source != "" {
		return
	}
	t.flag(a.Seq, flagContext)
	if sampled {
		t.flag(a.Seq, flagSampled)
	}
}

func (t *traces) span(_ int, sp *record.Span) {
	if cell := t.spans.at(sp.Seq, t.stage.Load.Hits); cell == nil {
		t.orphans++
	} else if *cell < mostArrivals {
		*cell++
	}
	t.expect("span name", sp.Name, t.params.Names)
	t.expect("span service", sp.Service, t.params.Services)
	one := t.byTrace[sp.TraceID]
	if one == nil {
		one = &trace{seq: sp.Seq}
		t.byTrace[sp.TraceID] = one
	}
	one.ids, one.parents = append(one.ids, sp.SpanID), append(one.parents, sp.ParentID)
}

// expect notes a value that no pattern allows.
func (t *traces) expect(what, value string, patterns []string) {
	if len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return fits(p, value) }) {
		return
	}
	text := fmt.Sprintf("%s %q", what, value)
	if len(t.strange) < mostReasons && !slices.Contains(t.strange, text) {
		t.strange = append(t.strange, text)
	}
}

// fits compares with a pattern whose trailing * matches any ending.
func fits(pattern, value string) bool {
	if start, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(value, start)
	}
	return pattern == value
}

// broken counts traces that do not have exactly one span whose parent is not
// among their own.
func (t *traces) broken() (n int, first oddest) {
	for _, one := range t.byTrace {
		roots := 0
		for _, parent := range one.parents {
			if !slices.Contains(one.ids, parent) {
				roots++
			}
		}
		if roots != 1 {
			n++
			first.add(one.seq, func() string { return bare(t.stage, one.seq) })
		}
	}
	return n, first
}

// losses compares flags with what was exported.
type losses struct {
	sampled, lost, surplus, blind int
	lostFirst, surplusFirst       oddest
}

func (t *traces) losses() losses {
	var l losses
	for seq, flags := range t.flags {
		if flags&flagMine == 0 {
			continue
		}
		spans := int(t.spans.of(seq))
		switch name := func() string { return bare(t.stage, seq) }; {
		case flags&flagContext == 0:
			l.blind++
		case flags&flagSampled == 0 && spans > 0:
			l.surplus++
			l.surplusFirst.add(seq, name)
		case flags&flagSampled != 0:
			l.sampled++
			if spans < t.params.MinSpans {
				l.lost++
				l.lostFirst.add(seq, name)
			}
		}
	}
	return l
}

func (t *traces) verdict(v *record.Verdict) {
	l := t.losses()
	partial, partialFirst := t.broken()
	v.N = t.seen
	v.Declared = "what is sampled is exported, whole, under known names"
	v.Allowed = "no exception"
	v.Observed = fmt.Sprintf("%d of %d sampled requests without spans, %d unsampled with spans, %d traces not whole", l.lost, l.sampled, l.surplus, partial)
	figure(v, "sampled", l.sampled)
	figure(v, "lost of sampled", fmt.Sprintf("%.4f", float64(l.lost)/float64(max(1, l.sampled))))
	figure(v, "traces", len(t.byTrace))
	figure(v, "spans of no request", t.orphans)
	fault := func(first, signature string) {
		v.FirstOdd, v.Signature = first, signature
		violated(v, "%s: %s", signature, v.Observed)
	}
	switch {
	case l.blind > 0:
		inconclusive(v, record.Harness, fmt.Sprintf("%d requests arrived without a trace context", l.blind))
	case l.lost > 0:
		fault(l.lostFirst.text, "sampled requests without spans")
	case l.surplus > 0:
		fault(l.surplusFirst.text, "spans of requests that were not sampled")
	case partial > 0:
		fault(partialFirst.text, "traces without exactly one root")
	case len(t.strange) > 0:
		fault("", "unexpected "+strings.Join(slices.Sorted(slices.Values(t.strange)), ", "))
	case !tooFew(v, t.promise):
		held(v, "every sampled request is exported, whole, under known names")
	}
}

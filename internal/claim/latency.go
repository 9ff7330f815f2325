package claim

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func fromMilliseconds(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

func quantileName(perMille int) string {
	return fmt.Sprintf("p%g", float64(perMille)/10)
}

// latency accumulates LatencyParams.
type latency struct {
	deaf
	promise record.Promise
	params  LatencyParams
	stage   *record.Stage
	targets choice
	where   *probe
	within  stretch
	taken   sampleOf
	rest    sampleOf // of the requests that are not selected
	late    int      // requests left out because they were sent late
	slowest oddest
	looked  int  // how often the bounds were looked at
	told    bool // there is nothing to wait for
}

func openLatency(b brief) (accumulator, error) {
	params, err := paramsOf[LatencyParams](b.promise)
	if err != nil {
		return nil, err
	}
	l := &latency{promise: b.promise, params: params, stage: b.stages[0]}
	if l.targets, err = chooseTargets(l.stage, params.Targets); err != nil {
		return nil, err
	}
	if l.within, err = stretchOf(b, params.Window); err != nil {
		return nil, err
	}
	if params.Where != nil {
		where, err := newProbe(*params.Where)
		if err != nil {
			return nil, err
		}
		if where.late() {
			return nil, fmt.Errorf("latency cannot be selected by what was collected after the load")
		}
		l.where = &where
	}
	return l, checkQuantiles(params)
}

func checkQuantiles(params LatencyParams) error {
	if len(params.Bounds) == 0 {
		return fmt.Errorf("no bound is given")
	}
	if params.CalmMs > 0 && params.Where == nil {
		return fmt.Errorf("every request is selected: there are none to tell the machine by")
	}
	for _, b := range params.Bounds {
		if b.Quantile <= 0 || b.Quantile >= 1000 || b.AtLeastMs == 0 && b.AtMostMs == 0 {
			return fmt.Errorf("bound on %s says nothing", quantileName(b.Quantile))
		}
	}
	return nil
}

func (l *latency) observe(_ int, o *record.Observation) {
	if !l.targets.has(o.Target) || !l.within.has(o) {
		return
	}
	if tardy(o, l.params.Measure) {
		l.late++
		return
	}
	if l.where != nil && !l.where.seen(o) {
		if l.params.CalmMs > 0 {
			l.rest.add(o, l.params.Measure)
		}
		return
	}
	l.taken.add(o, l.params.Measure)
	took := elapsed(o, l.params.Measure)
	for _, b := range l.params.Bounds {
		if b.AtMostMs > 0 && took > fromMilliseconds(b.AtMostMs) || b.AtLeastMs > 0 && took < fromMilliseconds(b.AtLeastMs) {
			l.slowest.add(o.Seq, func() string { return trail(l.stage, o) + "  " + milliseconds(took) })
		}
	}
}

// tardy is true of a request that was sent late, where time counts from the
// sending. It is left out: whether it was late is known before its outcome, so what
// is left is a fair sample.
func tardy(o *record.Observation, measure string) bool {
	return measure == FromSent && o.Sent-o.Intended > prompt.lag()
}

// settled reports that enough of the selected requests were seen: at a look that
// shows every bound or refutes one, or at the last.
func (l *latency) settled() bool {
	if l.told || l.taken.size() < max(1, l.promise.N)*(l.looked+1) {
		return l.told
	}
	l.looked++
	shown, refuted := true, false
	for _, b := range l.params.Bounds {
		p := l.look(b)
		shown, refuted = shown && p.shown, refuted || p.refuted
	}
	l.told = shown || refuted || l.looked >= l.params.looks()
	return l.told
}

// look judges a bound with what each look and each bound may spend.
func (l *latency) look(b QuantileBound) proof {
	share := float64(l.params.looks())
	return l.judge(b, l.promise.Alpha/share/float64(len(l.params.Bounds)), l.promise.Beta/share)
}

func (l *latency) verdict(v *record.Verdict) {
	v.N = l.taken.size()
	l.fill()
	var observed, allowed, refuted, open []string
	for _, b := range l.params.Bounds {
		name := quantileName(b.Quantile)
		observed = append(observed, name+" "+l.taken.point(b.Quantile))
		allowed = append(allowed, b.String())
		proof := l.look(b)
		figure(v, name, proof.text)
		if proof.refuted {
			refuted = append(refuted, proof.text)
		} else if !proof.shown {
			open = append(open, proof.text)
		}
	}
	v.Observed, v.Allowed = strings.Join(observed, ", "), strings.Join(allowed, ", ")
	v.Declared = v.Allowed
	figure(v, "timeouts and errors", v.N-len(l.taken.known))
	if l.late > 0 {
		figure(v, "sent late, left out", l.late)
	}
	switch {
	case len(refuted) > 0:
		v.FirstOdd, v.Signature = l.slowest.text, "latency out of bounds: "+v.Allowed
		violated(v, "%s", strings.Join(refuted, ", "))
	case tooFew(v, l.promise):
	case len(open) > 0:
		inconclusive(v, record.Nature, strings.Join(open, ", ")+": neither shown nor refuted")
	default:
		held(v, "every bound is shown with confidence %g", 1-l.promise.Beta)
	}
}

// String is the bound in words.
func (b QuantileBound) String() string {
	var parts []string
	if b.AtLeastMs > 0 {
		parts = append(parts, fmt.Sprintf("%s ≥ %g ms", quantileName(b.Quantile), b.AtLeastMs))
	}
	if b.AtMostMs > 0 {
		parts = append(parts, fmt.Sprintf("%s ≤ %g ms", quantileName(b.Quantile), b.AtMostMs))
	}
	return strings.Join(parts, ", ")
}

// proof is what can be said of one bound.
type proof struct {
	shown, refuted bool
	text           string
}

func (l *latency) judge(b QuantileBound, alpha, beta float64) proof {
	p := proof{shown: true}
	name := quantileName(b.Quantile)
	if b.AtMostMs > 0 {
		limit := fromMilliseconds(b.AtMostMs)
		upper, ok := l.taken.upper(b.Quantile, beta)
		lower, known := l.taken.lower(b.Quantile, alpha)
		p.add(ok && upper <= limit, bounded(name, "at most", upper, ok))
		l.tooHigh(&p, b, known && lower > limit, bounded(name, "at least", lower, known))
	}
	if b.AtLeastMs > 0 {
		limit := fromMilliseconds(b.AtLeastMs)
		lower, ok := l.taken.lower(b.Quantile, beta)
		upper, known := l.taken.upper(b.Quantile, alpha)
		p.add(ok && lower >= limit, bounded(name, "at least", lower, ok))
		p.refute(known && upper < limit, bounded(name, "at most", upper, known))
	}
	return p
}

// tooHigh refutes a bound, unless the slowness may be the machine's: then it is
// open.
func (l *latency) tooHigh(p *proof, b QuantileBound, refuted bool, text string) {
	if !refuted {
		return
	}
	if excuse := l.excuse(b); excuse != "" {
		p.text = text + ", " + excuse
		return
	}
	p.refute(true, text)
}

// add joins one side of a bound; both must be shown.
func (p *proof) add(shown bool, text string) {
	p.shown = p.shown && shown
	p.text = joined(" ", p.text, text)
}

// refute replaces the text by the evidence against the bound.
func (p *proof) refute(refuted bool, text string) {
	if refuted {
		p.refuted, p.text = true, text
	}
}

func bounded(name, word string, at time.Duration, ok bool) string {
	if !ok {
		return name + " has no bound"
	}
	return fmt.Sprintf("%s is %s %s", name, word, milliseconds(at))
}

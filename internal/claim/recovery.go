package claim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// recovery accumulates RecoveryParams: counts per slice of time.
type recovery struct {
	deaf
	params  RecoveryParams
	traffic traffic
	steady  steadiness
	from    time.Duration
	until   time.Duration // of the window, where it is looked at from its start
	slice   time.Duration
	slices  []stat.Group  // hits are failures
	failed  time.Duration // the first failure, since from
	good    []time.Duration
}

const (
	defaultSlice   = 1000 // milliseconds
	defaultSustain = 3
	mostSlices     = 1 << 20
)

func openRecovery(b brief) (accumulator, error) {
	params, err := paramsOf[RecoveryParams](b.promise)
	if err != nil {
		return nil, err
	}
	params.SliceMs, params.Sustain = cmp.Or(params.SliceMs, defaultSlice), cmp.Or(params.Sustain, defaultSustain)
	r := &recovery{params: params, failed: never, slice: time.Duration(params.SliceMs) * time.Millisecond}
	if r.slice <= 0 || params.Sustain < 0 {
		return nil, fmt.Errorf("slices of %v, %d in a row", r.slice, params.Sustain)
	}
	if r.traffic, err = newTraffic(b.stages[0], params.Targets, params.Connections, params.Statuses); err != nil {
		return nil, err
	}
	start, end, err := ofName(b, params.Window)
	if err != nil {
		return nil, err
	}
	if r.from = end; params.FromStart {
		r.from, r.until = start, end
	}
	r.steady, err = newSteadiness(b, params.Baseline, r.traffic, start)
	return r, err
}

func (r *recovery) observe(_ int, o *record.Observation) {
	r.steady.observe(o)
	if o.Intended < r.from || !r.traffic.has(o) {
		return
	}
	i := int((o.Intended - r.from) / r.slice)
	if i >= mostSlices {
		return
	}
	for len(r.slices) <= i {
		r.slices = append(r.slices, stat.Group{})
	}
	r.slices[i].Size++
	if r.traffic.failed(o) {
		r.slices[i].Hits++
		r.failed = min(r.failed, o.Intended-r.from)
		return
	}
	r.good = append(r.good, o.Intended-r.from)
}

// never is later than anything that was seen.
const never = time.Duration(1<<63 - 1)

// firsts tells when the first request failed and when one first succeeded after
// it: what the promise is about lies later, when all do.
func (r *recovery) firsts(v *record.Verdict) {
	if r.failed == never {
		return
	}
	figure(v, "first error", r.failed.Round(time.Millisecond))
	first := never
	for _, at := range r.good {
		if at > r.failed {
			first = min(first, at)
		}
	}
	if first != never {
		figure(v, "first success after it", first.Round(time.Millisecond))
	}
}

// clean is true of a slice with requests whose errors are within budget.
func (r *recovery) clean(g stat.Group) bool {
	return g.Size > 0 && g.Hits*million <= r.params.BudgetPPM*g.Size
}

// relapse finds the last slice within the window, and behind the limit, with more
// errors than it may have: what breaks late, or breaks again, was not back in time,
// however clean it had been. A slice in which nothing was sent has none. From a
// window's end there is no relapse: what follows is another promise's.
func (r *recovery) relapse() (at time.Duration, found bool) {
	within := time.Duration(r.params.WithinMs) * time.Millisecond
	for i, g := range slices.Backward(r.slices) {
		begin := time.Duration(i) * r.slice
		if r.from+begin+r.slice <= r.until && begin >= within && g.Size > 0 && !r.clean(g) {
			return begin, true
		}
	}
	return 0, false
}

// recovered finds the first of enough clean slices in a row.
func (r *recovery) recovered() (at time.Duration, ok bool) {
	row := 0
	for i, g := range r.slices {
		if row++; !r.clean(g) {
			row = 0
		}
		if row == r.params.Sustain {
			return time.Duration(i-row+1) * r.slice, true
		}
	}
	return 0, false
}

func (r *recovery) verdict(v *record.Verdict) {
	within := time.Duration(r.params.WithinMs) * time.Millisecond
	v.Declared = fmt.Sprintf("back within %v", within)
	v.Allowed = fmt.Sprintf("%d slices of %v in a row with at most %d errors per million", r.params.Sustain, r.slice, r.params.BudgetPPM)
	lost := 0
	for _, g := range r.slices {
		v.N += g.Size
		lost += g.Hits
	}
	figure(v, "errors since", lost)
	r.firsts(v)
	if r.steady.broken(v) {
		return
	}
	at, ok := r.recovered()
	watched := time.Duration(len(r.slices)) * r.slice
	// A late start of the clean row is a violation even if the row is not whole.
	sure := watched - time.Duration(r.params.Sustain-1)*r.slice
	relapse, again := r.relapse()
	switch {
	case ok && at <= within && again:
		v.Observed = fmt.Sprintf("clean after %v, and not in the slice from %v on", at, relapse)
		figure(v, "relapse", relapse)
		v.Signature = "errors in the window after it was to be back"
		violated(v, "%s", v.Observed)
	case ok && at <= within:
		v.Observed = fmt.Sprintf("recovered after %v", at)
		figure(v, "recovery", at)
		held(v, "%s", v.Observed)
	case ok:
		v.Observed = fmt.Sprintf("recovered after %v", at)
		figure(v, "recovery", at)
		v.Signature = "recovered too late"
		violated(v, "recovered after %v, %v too late", at, at-within)
	case sure > within:
		v.Observed, v.Signature = fmt.Sprintf("not recovered in %v", watched), "not recovered"
		violated(v, "%s", v.Observed)
	default:
		v.Observed = fmt.Sprintf("not recovered in %v", watched)
		inconclusive(v, record.Harness, fmt.Sprintf("traffic was watched for %v only", watched))
	}
}

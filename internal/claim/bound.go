package claim

import (
	"fmt"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

const million = 1_000_000

// traffic picks requests by target and by how they used their connection, and
// tells good ones from bad.
type traffic struct {
	stage       *record.Stage
	targets     choice
	connections string
	statuses    []int
}

func newTraffic(s *record.Stage, targets []string, connections string, statuses []int) (traffic, error) {
	t := traffic{stage: s, connections: connections, statuses: statuses}
	if connections != "" && connections != ConnectionsNew && connections != ConnectionsReused {
		return t, fmt.Errorf("no kind of connections %q", connections)
	}
	var err error
	t.targets, err = chooseTargets(s, targets)
	return t, err
}

func (t traffic) has(o *record.Observation) bool {
	if t.connections != "" && o.Reused != (t.connections == ConnectionsReused) {
		return false
	}
	return t.targets.has(o.Target)
}

// failed counts a masked replay as the failure that it hid.
func (t traffic) failed(o *record.Observation) bool {
	if o.Class != record.ClassOK || o.Replays > 0 {
		return true
	}
	if len(t.statuses) == 0 {
		return o.Status < 200 || o.Status > 499
	}
	return !slices.Contains(t.statuses, o.Status)
}

// bound accumulates BoundParams.
type bound struct {
	deaf
	stretch // of the window

	promise record.Promise
	params  BoundParams
	traffic traffic
	steady  steadiness
	total   stat.Group // hits are failures
	skipped int        // planned in the window and never sent
	classes map[string]int
	drain   drain
	odd     oddest
}

func openBound(b brief) (accumulator, error) {
	params, err := paramsOf[BoundParams](b.promise)
	if err != nil {
		return nil, err
	}
	if params.BudgetPPM < 0 || params.BudgetPPM >= million {
		return nil, fmt.Errorf("a budget of %d errors per million", params.BudgetPPM)
	}
	c := &bound{promise: b.promise, params: params, classes: map[string]int{}}
	if c.traffic, err = newTraffic(b.stages[0], params.Targets, params.Connections, params.Statuses); err != nil {
		return nil, err
	}
	if c.stretch, err = stretchOf(b, params.Window); err != nil {
		return nil, err
	}
	if params.CountSkipped && (params.Window == "" || params.UnderWayMs > 0 || params.Connections != "" || len(params.Targets) > 0) {
		return nil, fmt.Errorf("skipped requests can be counted in a window of all requests only")
	}
	c.drain.least = time.Duration(params.UnderWayMs) * time.Millisecond
	c.steady, err = newSteadiness(b, params.Baseline, c.traffic, c.begins())
	return c, err
}

// admits picks the requests of the window: those that were intended in it, or
// those under way when it begins.
func (b *bound) admits(o *record.Observation) bool {
	if !b.traffic.has(o) {
		return false
	}
	if b.params.UnderWayMs == 0 {
		return b.has(o)
	}
	if o.Sent >= b.from || o.Done <= b.from {
		return false
	}
	b.drain.see(o.Done-b.from, b.traffic.failed(o))
	return true
}

func (b *bound) observe(_ int, o *record.Observation) {
	b.steady.observe(o)
	if !b.admits(o) {
		return
	}
	b.total.Size++
	if !b.traffic.failed(o) || b.params.UnderWayMs > 0 && o.Done-b.from >= b.drain.least {
		return
	}
	b.total.Hits++
	b.classes[failureName(o)]++
	b.odd.add(o.Seq, func() string { return trail(b.traffic.stage, o) })
}

func failureName(o *record.Observation) string {
	switch {
	case o.Class != record.ClassOK:
		return string(o.Class)
	case o.Replays > 0:
		return "masked replay"
	}
	return fmt.Sprintf("status %d", o.Status)
}

func (b *bound) verdict(v *record.Verdict) {
	v.N = b.total.Size
	v.Declared = fmt.Sprintf("at most %d errors per million", b.params.BudgetPPM)
	v.Observed = fmt.Sprintf("%d errors in %d requests", b.total.Hits, b.total.Size)
	for name, n := range sorted(b.classes) {
		figure(v, name, n)
	}
	if b.params.UnderWayMs > 0 {
		b.drain.tell(v)
	}
	if b.params.CountSkipped {
		b.skipped = max(0, b.planned(b.traffic.stage.Load)-b.total.Size)
		figure(v, "skipped", b.skipped)
	}
	if b.steady.broken(v) {
		return
	}
	if v.N == 0 {
		inconclusive(v, record.Harness, "no request fell into the window")
		return
	}
	if b.params.UnderWayMs > 0 && b.total.Hits == 0 && b.drain.unseen() {
		inconclusive(v, record.Harness, fmt.Sprintf("no request was under way for %v", b.drain.least))
		return
	}
	if b.params.BudgetPPM == 0 {
		b.judgeNone(v)
		return
	}
	b.judgeRate(v)
}

func (b *bound) judgeNone(v *record.Verdict) {
	v.Allowed = "no error"
	if b.total.Hits > 0 {
		v.FirstOdd, v.Signature = b.odd.text, "errors where none may be"
		violated(v, "%s", v.Observed)
		return
	}
	if b.stalled(v) || tooFew(v, b.promise) {
		return
	}
	held(v, "no error in %d requests", v.N)
}

// mostSkipped is the share of a window's requests, one in so many, that a busy
// machine may skip. A client that stalls skips more, and sees no error.
const mostSkipped = 6

// stalled makes the verdict inconclusive where too many requests were never sent.
func (b *bound) stalled(v *record.Verdict) bool {
	if all := b.skipped + b.total.Size; b.skipped*mostSkipped <= all {
		return false
	}
	inconclusive(v, record.Harness, fmt.Sprintf("%d of %d requests of the window were skipped: what they would have met is not known", b.skipped, b.skipped+b.total.Size))
	return true
}

func (b *bound) judgeRate(v *record.Verdict) {
	budget := float64(b.params.BudgetPPM) / million
	// A request that was never sent may be one that would have failed.
	upper := stat.RateUpper(b.total.Hits+b.skipped, b.total.Size+b.skipped, b.promise.Beta)
	lower := stat.RateLower(b.total.Hits, b.total.Size, b.promise.Alpha)
	v.Allowed = fmt.Sprintf("upper bound ≤ %d per million", b.params.BudgetPPM)
	figure(v, "upper bound per million", fmt.Sprintf("%.1f", million*upper))
	figure(v, "lower bound per million", fmt.Sprintf("%.1f", million*lower))
	v.P = probability(stat.AtLeast(b.total.Hits, b.total.Size, budget))
	switch {
	case lower > budget:
		v.FirstOdd, v.Signature = b.odd.text, "error rate beyond its budget"
		violated(v, "the error rate is at least %.1f per million", million*lower)
	case upper <= budget:
		held(v, "the error rate is at most %.1f per million", million*upper)
	case b.skipped > 0 && stat.RateUpper(b.total.Hits, b.total.Size, b.promise.Beta) <= budget:
		inconclusive(v, record.Harness, fmt.Sprintf("%d of %d requests of the window were skipped, too many to tell that the budget was kept", b.skipped, b.skipped+b.total.Size))
	default:
		inconclusive(v, record.Nature, fmt.Sprintf("the error rate lies between %.1f and %.1f per million: neither within the budget nor beyond it", million*lower, million*upper))
	}
}

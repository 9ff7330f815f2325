package claim

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// Defaults of a promise that does not say otherwise.
const (
	DefaultAlpha = 1e-6
	DefaultBeta  = 1e-3
	DefaultDelta = 50 // per mille
	// zeroDelta is what "each" and "none" resolve: one exception in a thousand.
	zeroDelta = 1
)

// Plan completes promises before the run: alpha, beta, delta and N, and the
// design of each share test. What a promise already says stays. The false-alarm
// budget covers what promises say of alpha themselves and is divided equally
// over the others, at most DefaultAlpha each; claims that cannot be false-alarmed
// get none. An N below what the errors need is refused: it would be a promise
// that cannot be kept.
func Plan(promises []record.Promise, budget float64) ([]record.Promise, error) {
	planned := make([]record.Promise, len(promises))
	each, err := divide(promises, budget)
	if err != nil {
		return nil, err
	}
	for i, p := range promises {
		k := kinds()[p.Kind]
		if k.spends {
			p.Alpha = cmp.Or(p.Alpha, each)
		} else {
			p.Alpha = 0
		}
		p.Beta = cmp.Or(p.Beta, DefaultBeta)
		work := &planning{promise: &p}
		if err := k.size(work); err != nil {
			return nil, fmt.Errorf("plan promise %s: %w", p.ID, err)
		}
		if p.N != 0 && p.N < work.need {
			return nil, fmt.Errorf("plan promise %s: n is %d, its errors need %d", p.ID, p.N, work.need)
		}
		p.N = max(p.N, work.need)
		planned[i] = p
	}
	return planned, nil
}

// divide finds the alpha of the promises that name none.
func divide(promises []record.Promise, budget float64) (float64, error) {
	left, open := budget, 0
	for _, p := range promises {
		k, ok := kinds()[p.Kind]
		switch {
		case !ok:
			return 0, fmt.Errorf("plan promise %s: no claim of kind %q", p.ID, p.Kind)
		case k.spends && p.Alpha == 0:
			open++
		case k.spends:
			left -= p.Alpha
		}
	}
	if left < 0 || left == 0 && open > 0 {
		return 0, fmt.Errorf("promises spend more than the false-alarm budget of %g", budget)
	}
	if open == 0 {
		return 0, nil
	}
	return min(DefaultAlpha, left/float64(open)), nil
}

// planning is one promise being sized.
type planning struct {
	promise *record.Promise
	need    int // the least N
}

// share adds a test of a share to the plan.
func (w *planning) share(name string, goal stat.Goal) error {
	design, err := stat.DesignSequential(goal)
	if err != nil {
		return err
	}
	w.need = max(w.need, design.N)
	w.promise.Design = append(w.promise.Design, record.Design{
		Of: name, N: design.N, Lo: design.Lo, Hi: design.Hi,
		FalseAlarm: design.FalseLow + design.FalseHigh, Miss: max(design.MissLow, design.MissHigh),
		Median: design.At(goal.Share).Median,
	})
	return nil
}

// zero adds the size of a claim of each or none.
func (w *planning) zero() error {
	w.promise.Delta = cmp.Or(w.promise.Delta, zeroDelta)
	n, err := zeroFailures(*w.promise)
	w.need = max(w.need, n)
	return err
}

func (w *planning) goal(share stat.Share) stat.Goal {
	w.promise.Delta = cmp.Or(w.promise.Delta, DefaultDelta)
	return stat.Goal{Share: share, Delta: w.promise.Delta, Alpha: w.promise.Alpha, Beta: w.promise.Beta}
}

func sizeNothing(*planning) error { return nil }

func sizeZero(w *planning) error { return w.zero() }

func sizeSplit(w *planning) error {
	params, err := paramsOf[SplitParams](*w.promise)
	if err != nil {
		return err
	}
	w.promise.Delta = cmp.Or(w.promise.Delta, DefaultDelta)
	w.promise.Design = nil
	tests, err := armTests(*w.promise, params.Arms)
	if err != nil {
		return err
	}
	for _, t := range tests {
		if err := w.share(params.Arms[t.arm-1].Version, t.design.Goal); err != nil {
			return err
		}
	}
	if len(tests) == 0 {
		w.promise.Alpha = 0 // all weight on one arm: one hit elsewhere refutes, nothing else can
	}
	s := split{promise: *w.promise, params: params, tests: tests}
	w.need = max(w.need, s.zeroSize())
	return nil
}

func sizeShare(w *planning) error {
	params, err := paramsOf[ShareParams](*w.promise)
	if err != nil {
		return err
	}
	return w.shareOrZero(params.Label, params.PerMille)
}

func (w *planning) shareOrZero(name string, perMille int) error {
	w.promise.Design = nil
	if share := stat.PerMille(perMille); !share.Degenerate() {
		return w.share(name, w.goal(share))
	}
	w.promise.Alpha = 0
	return w.zero()
}

func sizeMirror(w *planning) error {
	params, err := paramsOf[MirrorParams](*w.promise)
	if err != nil {
		return err
	}
	return w.shareOrZero("mirrored", params.PerMille)
}

func sizeBalance(w *planning) error {
	params, err := paramsOf[BalanceParams](*w.promise)
	if err != nil {
		return err
	}
	w.goal(stat.PerMille(500)) // for the default of delta
	w.promise.Design = nil
	b := balance{promise: *w.promise, params: params}
	return w.share("pod", b.goal())
}

func sizeTable(w *planning) error {
	params, err := paramsOf[TableParams](*w.promise)
	if err != nil {
		return err
	}
	w.need = len(params.Rows) * max(1, params.PerRow)
	return nil
}

// defaultCorrelation is the lag-one correlation that independence resolves, per
// mille.
const defaultCorrelation = 100

// sizeIndependence is the normal approximation ((z(alpha/2) + z(beta)) / rho)^2
// for a lag-one correlation rho of Delta per mille, with a margin of five per
// cent: exact sums at 0.7 and rho 0.1 give 6590 where it gives 6371.
func sizeIndependence(w *planning) error {
	params, err := paramsOf[IndependenceParams](*w.promise)
	if err != nil {
		return err
	}
	w.promise.Delta = cmp.Or(w.promise.Delta, defaultCorrelation)
	aspects := float64(max(1, len(params.Over)))
	if len(params.Over) == 0 {
		aspects = 3
	}
	z := -distuv.UnitNormal.Quantile(w.promise.Alpha/aspects/2) - distuv.UnitNormal.Quantile(w.promise.Beta)
	root := z / (float64(w.promise.Delta) / 1000)
	w.need = int(math.Ceil(1.05 * root * root))
	if len(params.Over) == 0 || slices.Contains(params.Over, OverBlocks) {
		w.need = max(w.need, leastBlocks*cmp.Or(params.Block, defaultBlock)+1)
	}
	return nil
}

// spare is how many values a quantile's bound leaves beyond itself, so that one
// slow answer does not decide.
const spare = 10

func sizeLatency(w *planning) error {
	params, err := paramsOf[LatencyParams](*w.promise)
	if err != nil {
		return err
	}
	if err := checkQuantiles(params); err != nil {
		return err
	}
	beta := w.promise.Beta / float64(params.looks())
	for _, b := range params.Bounds {
		if b.AtMostMs > 0 {
			w.need = max(w.need, stat.SampleForUpper(b.Quantile, spare, beta))
		}
		if b.AtLeastMs > 0 {
			w.need = max(w.need, stat.SampleForUpper(1000-b.Quantile, spare, beta))
		}
	}
	return nil
}

func sizeShift(w *planning) error {
	params, err := paramsOf[ShiftParams](*w.promise)
	if err != nil {
		return err
	}
	for _, q := range params.Quantiles {
		if q <= 0 || q >= 1000 {
			return fmt.Errorf("no quantile of %d per mille", q)
		}
		w.need = max(w.need, stat.SampleForUpper(q, spare, w.promise.Beta/2), stat.SampleForUpper(1000-q, spare, w.promise.Beta/2))
	}
	return nil
}

// sizeBound needs enough clean requests to show the budget; a budget of none is
// sized like any claim of none.
func sizeBound(w *planning) error {
	params, err := paramsOf[BoundParams](*w.promise)
	if err != nil {
		return err
	}
	if params.BudgetPPM == 0 {
		w.promise.Alpha = 0
		return w.zero()
	}
	w.need = int(math.Ceil(math.Log(w.promise.Beta) / math.Log1p(-float64(params.BudgetPPM)/million)))
	return nil
}

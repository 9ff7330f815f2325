package gate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Error probabilities of a latency budget: of refusing a quantile that is
// within it, and of passing one that is not.
const (
	budgetAlpha = 1e-4
	budgetBeta  = 1e-3
)

// latencyRows rules on the latency budgets, by order statistics.
func (p Policy) latencyRows(all samples) []Row {
	var rows []Row
	for _, budget := range p.Budgets.Latency {
		matched := false
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if matches(budget.Stage, name) {
				matched = true
				rows = append(rows, budget.rule(name, all[name]))
			}
		}
		if !matched {
			rows = append(rows, Row{Subject: "latency budget of " + budget.Stage, Ruling: Open, Why: "the run has no such stage"})
		}
	}
	return rows
}

func (b LatencyBudget) rule(name string, s *sample) Row {
	limit := time.Duration(b.AtMostMs * float64(time.Millisecond))
	row := Row{Subject: fmt.Sprintf("%s of %s", quantileName(b.Quantile), name), Ruling: Open}
	if row.Why = s.unpunctual(); row.Why != "" || s.size() == 0 {
		return row
	}
	row.Seen = fmt.Sprintf("%s, budget %s", milliseconds(s.point(b.Quantile)), milliseconds(limit))
	lower, refutes := s.lower(b.Quantile, budgetAlpha)
	upper, shows := s.upper(b.Quantile, budgetBeta)
	switch {
	case refutes && lower > limit:
		row.Ruling, row.Why = Failed, "it is at least "+milliseconds(lower)
	case shows && upper <= limit:
		row.Ruling, row.Why = Passed, "it is at most "+milliseconds(upper)
	case !shows:
		row.Why = fmt.Sprintf("%d requests do not bound it", s.size())
	default:
		row.Why = fmt.Sprintf("it lies between %s and %s", milliseconds(lower), milliseconds(upper))
	}
	return row
}

// unpunctual is why the latencies of a stage mean nothing, or "".
func (s *sample) unpunctual() string {
	switch {
	case s.broken != "":
		return s.broken
	case s.stage.Health.LagP99 > punctual:
		return fmt.Sprintf("the load generator was %s behind schedule", milliseconds(s.stage.Health.LagP99))
	}
	return ""
}

// recoveryRows rules on the recovery budgets. A recovery is one event: it is
// compared as it was measured.
func (p Policy) recoveryRows(run Run) []Row {
	var rows []Row
	for _, budget := range p.Budgets.Recovery {
		matched := false
		for _, promise := range run.Source.Run().Plan.Promises {
			if promise.Kind == claim.KindRecovery && matches(budget.Promise, promise.ID) {
				matched = true
				rows = append(rows, budget.rule(verdictOf(run.Verdicts, promise.ID)))
			}
		}
		if !matched {
			rows = append(rows, Row{Subject: "recovery budget of " + budget.Promise, Ruling: Open, Why: "the run has no such promise of recovery"})
		}
	}
	return rows
}

func (b RecoveryBudget) rule(v record.Verdict) Row {
	row := Row{Subject: "recovery of " + v.ID, Seen: v.Observed, Ruling: Open, Why: "no recovery was measured"}
	took, ok := Recovery(v)
	switch {
	case !ok && v.Verdict == record.Violated:
		row.Ruling, row.Why = Failed, "it did not recover"
	case ok && took > b.AtMost:
		row.Ruling, row.Why = Failed, fmt.Sprintf("%v is beyond the budget of %v", took, b.AtMost)
	case ok:
		row.Ruling, row.Why = Passed, fmt.Sprintf("%v is within the budget of %v", took, b.AtMost)
	}
	return row
}

func verdictOf(verdicts []record.Verdict, id string) record.Verdict {
	for _, v := range verdicts {
		if v.ID == id {
			return v
		}
	}
	return record.Verdict{ID: id}
}

// Recovery is the recovery time that a verdict measured.
func Recovery(v record.Verdict) (time.Duration, bool) {
	for _, f := range v.Figures {
		if f.Name == "recovery" {
			took, err := time.ParseDuration(f.Value)
			return took, err == nil
		}
	}
	return 0, false
}

func quantileName(perMille int) string { return fmt.Sprintf("p%g", float64(perMille)/10) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// Package gate decides whether a recorded run is good enough for a release: by
// a policy on its verdicts, by budgets on what was measured, and by comparing
// it with the run of a baseline.
//
// It is pure: runs come as records, verdicts as they were recomputed from them.
// A comparison has one false-alarm budget (2e-4 by default, apart from that of
// a run) that Holm's procedure divides over everything that is compared. It
// finds differences; it does not judge again what the claims have judged.
package gate

import (
	"context"
	"fmt"

	"github.com/wayproof/wayproof/internal/record"
)

// Ruling is what the gate makes of one thing.
type Ruling string

// The rulings. Left is what the policy does not ask for: shown, not counted.
const (
	Passed Ruling = "passed"
	Left   Ruling = "not counted"
	Open   Ruling = "inconclusive"
	Failed Ruling = "failed"
)

// Row is one thing that was ruled on.
type Row struct {
	Subject string // a promise, a budget, the record
	Ruling  Ruling
	Seen    string
	Why     string
}

// Run is one side: a record with the verdicts that were recomputed from it.
type Run struct {
	Source   record.Source
	Verdicts []record.Verdict
}

// Decision is the gate's answer.
type Decision struct {
	Rows []Row
	// Compared are the quantities that both runs have, in the order of the
	// stages and promises of the run; empty without a baseline.
	Compared []Compared
	// Incomparable says why the runs, or parts of them, cannot be compared.
	Incomparable []string
	Notes        []string
	asked        bool // for a comparison
}

// Outcome of a decision as a whole, which is also what a script needs to know.
type Outcome int

// The outcomes, by their exit codes.
const (
	Released     Outcome = 0
	Refused      Outcome = 1
	Undecided    Outcome = 2
	Incomparable Outcome = 3
)

// Decide rules on a run and, if there is one, compares it with a baseline.
func Decide(ctx context.Context, policy Policy, run Run, baseline *Run) (Decision, error) {
	decision := Decision{Rows: policy.rule(run.Verdicts)}
	sample, err := measure(ctx, run.Source)
	if err != nil {
		return Decision{}, fmt.Errorf("measure the run: %w", err)
	}
	decision.Rows = append(decision.Rows, policy.latencyRows(sample)...)
	decision.Rows = append(decision.Rows, policy.recoveryRows(run)...)
	if baseline == nil {
		return decision, nil
	}
	decision.asked = true
	before, err := measure(ctx, baseline.Source)
	if err != nil {
		return Decision{}, fmt.Errorf("measure the baseline: %w", err)
	}
	pair := pair{policy: policy.Comparison, must: policy.Must, base: side{*baseline, before}, run: side{run, sample}}
	decision.Rows = append(decision.Rows, policy.dropped(pair.base.head().Plan, pair.run.head().Plan)...)
	pair.compare(&decision)
	return decision, nil
}

// Outcome is the worst of everything: a failure outweighs that the comparison
// was impossible, and that outweighs what is merely open.
func (d Decision) Outcome() Outcome {
	open := d.asked && len(d.Incomparable) > 0
	for _, row := range d.Rows {
		if row.Ruling == Failed {
			return Refused
		}
		open = open || row.Ruling == Open
	}
	for _, c := range d.Compared {
		if c.Ruling == Failed {
			return Refused
		}
		open = open || c.Ruling == Open
	}
	switch {
	case d.asked && len(d.Compared) == 0:
		return Incomparable
	case open:
		return Undecided
	}
	return Released
}

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// explained is how many promises the last lines of a run explain: often a log's
// last lines are all that is at hand.
const explained = 3

// unheld is the error of a run that ended otherwise than held: what did not
// hold, worst first, each with its reason, and where the rest is.
func unheld(run *record.Run, dir string) error {
	failing := slices.DeleteFunc(slices.Clone(run.Verdicts), func(v record.Verdict) bool { return v.Verdict.ExitCode() == exitHeld })
	if len(failing) == 0 {
		return nil
	}
	slices.SortStableFunc(failing, func(a, b record.Verdict) int { return severity(b) - severity(a) })
	lines := []string{fmt.Sprintf("%s: %d of %d promises did not hold: see %s", worst(failing), len(failing), len(run.Verdicts), dir)}
	for _, verdict := range failing[:min(len(failing), explained)] {
		lines = append(lines, verdict.ID+": "+claim.Explain(verdict, run))
	}
	if more := len(failing) - explained; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// worst is the worst outcome of all, held if there is none.
func worst(verdicts []record.Verdict) record.Outcome {
	outcome := record.Held
	for _, verdict := range verdicts {
		outcome = record.Worst(outcome, verdict.Verdict)
	}
	return outcome
}

// severity puts what is violated before what could not be judged.
func severity(v record.Verdict) int {
	if v.Verdict == record.Violated {
		return 1
	}
	return 0
}

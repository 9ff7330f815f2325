// Package suites runs wayproof's specs: it holds the session that the specs of
// its sub-packages share, whoever started them, `wayproof run` or `ginkgo`.
package suites

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
)

// Session is one run of specs.
type Session struct {
	Scene    *scene.Scene
	Selected map[string]bool // ids of the scenarios to play; others are skipped
	// Report, if set, is told every verdict as it is reached.
	Report func(record.Verdict)
	// Spoil, if set, puts a defect into scenarios before they are played: how the
	// specs themselves are proven.
	Spoil func(catalogue.Scenario) catalogue.Scenario
	// Trouble is what went wrong in scenarios whose promises are all fine, most
	// likely while they were cleared away: no verdict speaks of it.
	Trouble error
}

// current is the session that specs use. Ginkgo's specs are registered before
// anything runs, so there is no other way to hand it to them.
var current *Session

// Use makes a session the one that specs use.
func Use(session *Session) { current = session }

// Configured says whether somebody has called Use.
func Configured() bool { return current != nil }

// Selected says whether the plan has this scenario.
func Selected(scenario catalogue.Scenario) bool { return current.Selected[scenario.ID] }

// Play plays a scenario and returns nil if every promise of it held, else an
// error that reads as a report does.
func Play(ctx context.Context, scenario catalogue.Scenario) error {
	if current.Spoil != nil {
		scenario = current.Spoil(scenario)
	}
	verdicts, err := current.Scene.Play(ctx, scenario)
	return tell(verdicts, err)
}

// tell reports verdicts and makes an error of those that fail.
func tell(verdicts []record.Verdict, err error) error {
	var broken []string
	for _, verdict := range verdicts {
		if current.Report != nil {
			current.Report(verdict)
		}
		if !fine(verdict.Verdict) {
			broken = append(broken, claim.Explain(verdict, current.Scene.Run()))
		}
	}
	if err != nil {
		if len(broken) == 0 {
			current.Trouble = errors.Join(current.Trouble, err)
		}
		broken = append(broken, err.Error())
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d of %d promises are not held:\n%s", len(broken), len(verdicts), strings.Join(broken, "\n"))
	}
	return nil
}

// fine are the outcomes that fail nothing.
func fine(outcome record.Outcome) bool {
	return outcome == record.Held || outcome == record.Unsupported || outcome == record.ViolatedKnown
}

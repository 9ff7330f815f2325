package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/gate"
	"github.com/wayproof/wayproof/internal/replay"
)

// gateFlags are the knobs of a gate.
type gateFlags struct{ baseline, policy string }

func gateCommand() *cobra.Command {
	flags := &gateFlags{}
	cmd := &cobra.Command{
		Use:   "gate RUN",
		Short: "Decide whether a recorded run is good enough for a release",
		Long: `Judges a recorded run again, holds its verdicts and measurements against a policy,
and, with --baseline, compares it with another run by exact tests.

Exit codes: 0 released, 1 refused (a promise is violated, a budget exceeded, a
difference from the baseline that matters, or a record that does not agree with
itself), 2 undecided (inconclusive, or too few requests to compare), 3 the runs
cannot be compared or read.`,
		Example: `  wayproof gate artifacts/latest
  wayproof gate artifacts/latest --policy deploy/gate.yaml --baseline artifacts/r1101-0412-77aa`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			decision, err := decideRun(cmd.Context(), args[0], flags)
			if err != nil {
				return err
			}
			if err := printDecision(cmd.OutOrStdout(), decision); err != nil {
				return err
			}
			return decisionError(decision)
		},
	}
	cmd.Flags().StringVar(&flags.baseline, "baseline", "", "folder of the run to compare with")
	cmd.Flags().StringVar(&flags.policy, "policy", "", "file with the policy (default: every promise must hold; see docs/gating.md)")
	return cmd
}

func decideRun(ctx context.Context, dir string, flags *gateFlags) (gate.Decision, error) {
	policy := gate.DefaultPolicy()
	if flags.policy != "" {
		text, err := os.ReadFile(flags.policy)
		if err != nil {
			return gate.Decision{}, fmt.Errorf("read --policy: %w", err)
		}
		if policy, err = gate.ParsePolicy(text); err != nil {
			return gate.Decision{}, fmt.Errorf("%s: %w", flags.policy, err)
		}
	}
	run, replayed, err := gateSide(ctx, dir)
	if err != nil {
		return gate.Decision{}, err
	}
	var baseline *gate.Run
	var notes []string
	if flags.baseline != "" {
		side, before, err := gateSide(ctx, flags.baseline)
		if err != nil {
			return gate.Decision{}, fmt.Errorf("baseline: %w", err)
		}
		if err := ofTheMesh(side.Source.Run()); err != nil {
			return gate.Decision{}, fmt.Errorf("baseline: %w", err)
		}
		if baseline = &side; !before.Agrees() {
			notes = append(notes, fmt.Sprintf("the baseline's recorded verdicts differ from its observations in %d places; the recomputed ones are used", len(before.Differences)))
		}
	}
	decision, err := gate.Decide(ctx, policy, run, baseline)
	decision.Notes = append(decision.Notes, notes...)
	decision.Rows = append(decision.Rows, recordRow(replayed))
	if spoilt := ofTheMesh(run.Source.Run()); spoilt != nil {
		decision.Rows = append(decision.Rows, mutantRow(spoilt))
	}
	return decision, err
}

// gateSide reads one run and recomputes its verdicts.
func gateSide(ctx context.Context, dir string) (gate.Run, replay.Result, error) {
	reader, result, err := judgeAgain(ctx, dir)
	return gate.Run{Source: reader, Verdicts: result.Verdicts}, result, err
}

// recordRow rules on whether the record agrees with itself: one that was edited
// is no ground for a release, whatever it says.
func recordRow(result replay.Result) gate.Row {
	if result.Agrees() {
		return gate.Row{Subject: "record", Ruling: gate.Passed, Seen: "recomputed verdicts are as recorded"}
	}
	d := result.Differences[0]
	return gate.Row{
		Subject: "record", Ruling: gate.Failed, Seen: fmt.Sprintf("%d differences", len(result.Differences)),
		Why: fmt.Sprintf("recomputed verdicts are not as recorded, first %s of %s: wayproof replay shows them", d.Field, d.Promise),
	}
}

// mutantRow rules on a run that had a defect put into its mesh on purpose: what it
// broke is told like anything else, and no such run is ground for a release.
func mutantRow(spoilt error) gate.Row {
	return gate.Row{Subject: "mesh", Ruling: gate.Failed, Seen: "a defect made on purpose", Why: spoilt.Error()}
}

func printDecision(out io.Writer, d gate.Decision) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RULING\tON\tSEEN\tWHY")
	for _, row := range d.Rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.Ruling, shown(row.Subject), shown(row.Seen), shown(row.Why))
	}
	if len(d.Compared) > 0 {
		fmt.Fprintln(table, "\t\t\t\nRULING\tCOMPARED\tBASELINE → RUN\tP, WHY")
	}
	for _, c := range d.Compared {
		fmt.Fprintf(table, "%s\t%s of %s\t%s → %s\tp = %.2g, %s\n", c.Ruling, c.Quantity, shown(c.Of), c.Baseline, c.Run, c.P, shown(c.Why))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, reason := range d.Incomparable {
		fmt.Fprintln(out, "not comparable:", shown(reason))
	}
	for _, note := range d.Notes {
		fmt.Fprintln(out, "note:", shown(note))
	}
	_, err := fmt.Fprintln(out, outcomeWords()[d.Outcome()])
	return err
}

func outcomeWords() map[gate.Outcome]string {
	return map[gate.Outcome]string{
		gate.Released: "RELEASED", gate.Refused: "REFUSED", gate.Undecided: "UNDECIDED", gate.Incomparable: "NOT COMPARABLE",
	}
}

func decisionError(d gate.Decision) error {
	if d.Outcome() == gate.Released {
		return nil
	}
	return &exitError{code: int(d.Outcome()), err: fmt.Errorf("gate: %s", outcomeWords()[d.Outcome()])}
}

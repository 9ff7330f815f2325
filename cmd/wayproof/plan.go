package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

func planCommand() *cobra.Command {
	flags := &runFlags{}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Print what a run would prove, with sizes and durations, without a cluster",
		Long: `Prints the numbered plan of a run: each scenario, what it promises, how many
requests that takes, at which error probabilities, and how long it is expected
to last. Nothing is started and no cluster is asked; what an environment cannot
offer shows only in a run.

alpha is the probability that a sound mesh is called broken, beta that a
deviation of delta goes unseen; n is the most units a promise may need, half the
time it takes no more than median.`,
		Example: `  wayproof plan                       everything
  wayproof plan --focus task4         one task
  wayproof plan --labels quick        the subset for pull requests`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return printPlan(cmd.OutOrStdout(), flags) },
	}
	flags.registerSelection(cmd)
	return cmd
}

func printPlan(out io.Writer, flags *runFlags) error {
	intended, err := flags.intend()
	if err != nil {
		return err
	}
	planned := map[string]record.Promise{}
	for _, promise := range intended.run.Plan.Promises {
		planned[promise.ID] = promise
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	number, total, alpha := 0, time.Duration(0), 0.0
	for _, scenario := range intended.scenarios {
		fmt.Fprintf(table, "%s  %s  (%s)\n", scenario.ID, scenario.Title, scenario.Expect)
		total += scenario.Expect
		for _, promise := range scenario.Promises {
			number++
			alpha += planned[promise.ID].Alpha
			printPromise(table, number, planned[promise.ID])
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	fmt.Fprintf(out, "\n%d scenarios, %d promises, about %s on a cluster that is up; they spend %.2g of a false-alarm budget of %g\n",
		len(intended.scenarios), number, total.Round(time.Second), alpha, intended.run.Plan.Alpha)
	return nil
}

func printPromise(out io.Writer, number int, promise record.Promise) {
	fmt.Fprintf(out, "%4d\t%s\t%s\t%s\t%s\n", number, promise.ID, promise.Kind, size(promise), promise.Title)
}

// size is what the promise takes, in one cell.
func size(promise record.Promise) string {
	if promise.Kind == claim.KindSeries || promise.Kind == claim.KindRows {
		return "samples of the cluster"
	}
	parts := []string{fmt.Sprintf("n %d %ss", promise.N, promise.Unit)}
	for _, design := range promise.Design {
		parts = append(parts, fmt.Sprintf("%s median %d", design.Of, design.Median))
	}
	if promise.Alpha > 0 {
		parts = append(parts, fmt.Sprintf("alpha %g", promise.Alpha))
	}
	if promise.Kind != claim.KindTable {
		parts = append(parts, fmt.Sprintf("beta %g", promise.Beta))
	}
	if promise.Delta > 0 {
		parts = append(parts, fmt.Sprintf("delta %g %%", float64(promise.Delta)/10))
	}
	if len(promise.Requires) > 0 {
		parts = append(parts, "needs "+strings.Join(promise.Requires, ", "))
	}
	return strings.Join(parts, ", ")
}

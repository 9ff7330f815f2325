package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/replay"
	"github.com/wayproof/wayproof/reports"
	"github.com/wayproof/wayproof/reports/summary"
)

// writeReports renders every report of a recorded run into its folder.
func writeReports(ctx context.Context, dir string) error {
	reader, err := record.Open(dir)
	if err != nil {
		return fmt.Errorf("read back %s: %w", filepath.Base(dir), err)
	}
	return reports.Write(ctx, dir, reader)
}

func replayCommand() *cobra.Command {
	promise := ""
	cmd := &cobra.Command{
		Use:   "replay RUN",
		Short: "Judge a recorded run again, without a cluster",
		Long: `Recomputes every verdict from the observations in a run's folder and says whether
any differs from what was recorded. Nothing is written, no cluster is needed.

Exit codes: 0 everything held and agrees, 1 a promise is violated or a verdict
differs from the recorded one, 2 inconclusive, 3 the record cannot be read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return replayRun(cmd.Context(), cmd.OutOrStdout(), args[0], promise)
		},
	}
	cmd.Flags().StringVar(&promise, "promise", "", "only this promise, by id")
	return cmd
}

func replayRun(ctx context.Context, out io.Writer, dir, promise string) error {
	reader, result, err := judgeAgain(ctx, dir)
	if err != nil {
		return err
	}
	if promise != "" {
		if result, err = result.Of(promise); err != nil {
			return err
		}
		plan := &reader.Run().Plan
		plan.Promises = slices.DeleteFunc(slices.Clone(plan.Promises), func(p record.Promise) bool { return p.ID != promise })
	}
	again := *reader.Run()
	again.Verdicts = result.Verdicts
	if err := summary.Terminal(out, &again, dir); err != nil {
		return err
	}
	if err := printReplay(out, result); err != nil {
		return err
	}
	return replayError(result)
}

// judgeAgain opens a run and replays it.
func judgeAgain(ctx context.Context, dir string) (*record.Reader, replay.Result, error) {
	reader, err := record.Open(dir)
	if err != nil {
		return nil, replay.Result{}, err
	}
	recorded, contradictions, err := replay.Recorded(dir, reader.Run())
	if err != nil {
		return nil, replay.Result{}, err
	}
	result, err := replay.Run(ctx, reader, recorded)
	result.Differences = append(result.Differences, contradictions...)
	return reader, result, err
}

// printReplay writes what a reader must know beside the verdicts.
func printReplay(out io.Writer, result replay.Result) error {
	for _, note := range result.Notes {
		fmt.Fprintln(out, "note:", shown(note))
	}
	if result.Agrees() {
		_, err := fmt.Fprintf(out, "replay agrees: %d recorded verdicts are found again\n", result.Compared)
		return err
	}
	fmt.Fprintf(out, "replay DIFFERS in %d places: the record was changed, or this build judges otherwise than the one that recorded it\n", len(result.Differences))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROMISE\tFIELD\tRECORDED\tRECOMPUTED")
	for _, d := range result.Differences {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", shown(d.Promise), d.Field, shown(d.Recorded), shown(d.Recomputed))
	}
	return table.Flush()
}

func replayError(result replay.Result) error {
	code := result.Worst.ExitCode()
	if !result.Agrees() {
		code = exitViolated
	}
	if code == exitHeld {
		return nil
	}
	if !result.Agrees() {
		return &exitError{code: code, err: fmt.Errorf("worst verdict %s; %d differences from the record", result.Worst, len(result.Differences))}
	}
	return &exitError{code: code, err: fmt.Errorf("worst verdict %s", result.Worst)}
}

// longestShown bounds what one cell of a table may take.
const longestShown = 160

// shown makes text out of a record safe for a terminal: it was written by
// whoever is under test, or edited since.
func shown(text string) string {
	runes := []rune(text)
	if len(runes) > longestShown {
		runes = append(runes[:longestShown-1], '…')
	}
	quoted := strconv.QuoteToGraphic(string(runes))
	if quoted == `"`+string(runes)+`"` {
		return string(runes)
	}
	return quoted
}

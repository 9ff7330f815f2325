package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/history"
	"github.com/wayproof/wayproof/reports/trend"
)

// historyFlags are the knobs of a history.
type historyFlags struct {
	file, page, run string
	again           bool
}

func historyCommand() *cobra.Command {
	flags := &historyFlags{}
	cmd := group(&cobra.Command{
		Use:   "history",
		Short: "Keep a line for each run, and show trends and flips",
	})
	cmd.PersistentFlags().StringVar(&flags.file, "file", env("HISTORY", "history.ndjson"), "append-only file with a line for each run (HISTORY)")
	cmd.AddCommand(historyAddCommand(flags), historyShowCommand(flags))
	return cmd
}

func historyAddCommand(flags *historyFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add RUN",
		Short: "Append a recorded run, judged again, to the history",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := addToHistory(cmd.Context(), flags.file, args[0])
			if flags.again && errors.Is(err, history.ErrRecorded) {
				return nil
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&flags.again, "if-new", false, "a run that is in the history already is no error")
	return cmd
}

func addToHistory(ctx context.Context, file, dir string) error {
	reader, result, err := judgeAgain(ctx, dir)
	if err != nil {
		return err
	}
	if err := ofTheMesh(reader.Run()); err != nil {
		return err
	}
	entry, err := history.Of(ctx, reader, result.Verdicts)
	if err != nil {
		return err
	}
	return history.Append(file, entry)
}

func historyShowCommand(flags *historyFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show shifts and flips, and write the trend page",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := os.Stat(flags.file); err != nil {
				return fmt.Errorf("no history to show (wayproof history add RUN begins one): %w", err)
			}
			h, err := history.Read(flags.file)
			if err != nil {
				return err
			}
			if flags.run != "" && !slices.ContainsFunc(h.Entries, func(e history.Entry) bool { return e.Run == flags.run }) {
				return fmt.Errorf("%s has no line of run %s", flags.file, shown(flags.run))
			}
			page := flags.page
			if page == "" {
				page = filepath.Join(filepath.Dir(flags.file), "trend.html")
			}
			shownHistory := forPage(h)
			if err := writeTrend(page, shownHistory); err != nil {
				return err
			}
			return printHistory(cmd.OutOrStdout(), shownHistory, page)
		},
	}
	cmd.Flags().StringVar(&flags.page, "page", "", "where the page goes (default: trend.html beside the history)")
	cmd.Flags().StringVar(&flags.run, "run", "", "id of a run that must have its line")
	return cmd
}

// forPage puts a history into the words of the page.
func forPage(h history.History) trend.History {
	page := trend.History{Runs: len(h.Entries), Damaged: h.Damaged}
	for _, s := range h.Trends() {
		page.Series = append(page.Series, seriesForPage(s))
	}
	for _, f := range h.Flakes() {
		flake := trend.Flake{Promise: f.Promise, Runs: f.Runs}
		for _, flip := range f.Flips {
			flake.Flips = append(flake.Flips, trend.Flip{
				From: flip.From, To: flip.To, Was: string(flip.Was), Is: string(flip.Is), Version: versionText(flip.Versions),
			})
		}
		page.Flakes = append(page.Flakes, flake)
	}
	return page
}

func seriesForPage(s history.Series) trend.Series {
	titles := map[string][2]string{
		history.P99: {"p99 of the latency of ", "ms"}, history.Recovery: {"recovery time of ", "s"}, history.Drops: {"lost requests of ", "per million"},
	}
	words := titles[s.Kind]
	series := trend.Series{Title: words[0] + s.Of + " on " + s.Environment, Unit: words[1]}
	for _, p := range s.Points {
		series.Points = append(series.Points, trend.Point{Run: p.Run, At: p.At, Value: p.Value, Version: versionText(p.Versions)})
	}
	for _, c := range s.Changes {
		series.Shifts = append(series.Shifts, trend.Shift{At: c.At, P: c.P})
	}
	return series
}

func versionText(v history.Versions) string {
	text := fmt.Sprintf("Istio %s, Kubernetes %s, node proxy %s", v.Istio, v.Kubernetes, v.NodeProxy)
	if v.Wayproof != "" {
		text += ", wayproof " + v.Wayproof
	}
	return text
}

func writeTrend(path string, h trend.History) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write trend page: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriter(f)
	if err := trend.Render(buffered, h); err != nil {
		return err
	}
	return buffered.Flush()
}

func printHistory(out io.Writer, h trend.History, page string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range h.Series {
		for _, shift := range s.Shifts {
			at := s.Points[shift.At]
			fmt.Fprintf(table, "shift\t%s\tat run %s of %s\tp = %.2g\n", shown(s.Title), shown(at.Run), at.At.UTC().Format("2006-01-02 15:04"), shift.P)
		}
	}
	for _, f := range h.Flakes {
		for _, flip := range f.Flips {
			fmt.Fprintf(table, "flip\t%s\t%s → %s\t%s in run %s, %s in run %s\n",
				shown(f.Promise), shown(flip.Was), shown(flip.Is), shown(flip.Was), shown(flip.From), shown(flip.Is), shown(flip.To))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, line := range h.Damaged {
		fmt.Fprintln(out, "note:", shown(line))
	}
	_, err := fmt.Fprintf(out, "%d runs, %d measurements; page %s\n", h.Runs, len(h.Series), page)
	return err
}

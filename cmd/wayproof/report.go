package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/reports"
)

func reportCommand() *cobra.Command {
	open := false
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Render the reports of a recorded run anew",
		Long: `Writes report.html, junit.xml, summary.md, conformance.yaml and metrics.prom of a
recorded run again, from its record alone. The verdicts are those that were
recorded; wayproof replay recomputes them.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writeReports(cmd.Context(), args[0]); err != nil {
				return err
			}
			page := filepath.Join(args[0], reports.PageFile)
			fmt.Fprintln(cmd.OutOrStdout(), page)
			if open {
				return showPage(cmd.Context(), page)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&open, "open", false, "show the page in the browser")
	return cmd
}

// showPage hands a page to the desktop's own way of opening files.
func showPage(ctx context.Context, page string) error {
	page, err := filepath.Abs(page)
	if err != nil {
		return fmt.Errorf("find %s: %w", page, err)
	}
	opener := []string{"xdg-open", page}
	switch runtime.GOOS {
	case "darwin":
		opener[0] = "open"
	case "windows":
		opener = []string{"rundll32", "url.dll,FileProtocolHandler", page}
	}
	if output, err := exec.CommandContext(ctx, opener[0], opener[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("open %s with %s: %w %s", page, opener[0], err, output)
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/peer/table"
	"github.com/wayproof/wayproof/internal/proof"
)

func compareTableCommand() *cobra.Command {
	docs := "docs"
	cmd := &cobra.Command{
		Use:   "table RUN...",
		Short: "Write what runs of compare found into the committed table; no cluster",
		Long: `Takes the results of comparing runs, the last one of each mutant, into
docs/compare.json, sets beside them what docs/kill-matrix.json has of the same
defects, and renders docs/compare.md from both. Without a RUN it only does the
latter, as prove matrix does when it changes the kill matrix.`,
		RunE: func(_ *cobra.Command, args []string) error { return writeTable(args, docs) },
	}
	cmd.Flags().StringVar(&docs, "docs", docs, "folder of the table and of the kill matrix")
	return cmd
}

func writeTable(runs []string, docs string) error {
	path := filepath.Join(docs, compareFile)
	made := &table.Table{}
	if err := readJSON(path, made); err != nil && (len(runs) == 0 || !errors.Is(err, os.ErrNotExist)) {
		return err
	}
	for _, dir := range runs {
		var report table.Report
		if err := readJSON(filepath.Join(dir, compareFile), &report); err != nil {
			return err
		}
		made.Merge(report)
	}
	matrix := &proof.Matrix{}
	if err := readJSON(filepath.Join(docs, matrixFile), matrix); err != nil {
		return err
	}
	made.Compare(matrix)
	if err := writeJSON(path, made); err != nil {
		return err
	}
	var page strings.Builder
	if err := made.Render(&page); err != nil {
		return err
	}
	path = filepath.Join(docs, "compare.md")
	if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/spoil"
	"github.com/wayproof/wayproof/internal/record"
)

// recordSeeds is how many recordings of each kind the matrix is made of.
const recordSeeds = 20

func proveRecordsCommand() *cobra.Command {
	focus, seeds := "", recordSeeds
	cmd := &cobra.Command{
		Use:   "records",
		Short: "Make defects in recorded runs, and see whether the claims that must notice do; no cluster",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			wanted, err := regexp.Compile(focus)
			if err != nil {
				return fmt.Errorf("--focus %q: %w", focus, err)
			}
			mutants := slices.DeleteFunc(spoil.Mutants(), func(m spoil.Mutant) bool { return !wanted.MatchString(m.Name + " " + m.Title) })
			tallies, err := spoil.Tallies(cmd.Context(), mutants, seeds)
			if err != nil {
				return err
			}
			return tellTallies(cmd.OutOrStdout(), tallies)
		},
	}
	cmd.Flags().StringVar(&focus, "focus", "", "regular expression on names and titles of mutants")
	cmd.Flags().IntVar(&seeds, "seeds", seeds, "recordings of each kind")
	return cmd
}

func tellTallies(out io.Writer, tallies []spoil.Tally) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	trials, killed := 0, 0
	for _, tally := range tallies {
		trials, killed = trials+tally.Trials, killed+tally.Killed
		fmt.Fprintf(table, "%d/%d\t%s\t%s\t%s\n", tally.Killed, tally.Trials, tally.Mutant, tally.Title, tally.Other)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the mutants: %w", err)
	}
	fmt.Fprintf(out, "\n%d mutants, killed in %d of %d recordings\n", len(tallies), killed, trials)
	if killed < trials {
		return &exitError{code: exitViolated, err: fmt.Errorf("mutants survived in %d of %d recordings", trials-killed, trials)}
	}
	return nil
}

// matrixFlags say what a matrix is made of, and where it goes.
type matrixFlags struct {
	docs, readme string
	sound, soaks []string
	seeds        int
}

func proveMatrixCommand() *cobra.Command {
	flags := matrixFlags{}
	cmd := &cobra.Command{
		Use:   "matrix RUN...",
		Short: "Write what runs of prove found into the committed kill matrix",
		Long: `Takes the results of proving runs into docs/kill-matrix.json, which counts every
play of each mutant and tells the last one, tries the mutants of the record anew, and renders
docs/kill-matrix.md from both; docs/compare.md, which quotes them, is rendered anew with it.`,
		RunE: func(cmd *cobra.Command, args []string) error { return writeMatrix(cmd.Context(), args, flags) },
	}
	cmd.Flags().StringVar(&flags.docs, "docs", "docs", "folder of the matrix")
	cmd.Flags().StringVar(&flags.readme, "readme", "README.md", "page that holds the short table")
	cmd.Flags().StringSliceVar(&flags.sound, "sound", nil, "runs without mutants, for what the promises say of a sound mesh")
	cmd.Flags().StringSliceVar(&flags.soaks, "soak", nil, "runs of soak, for the false alarms; they are added up")
	cmd.Flags().IntVar(&flags.seeds, "seeds", recordSeeds, "recordings of each kind that mutants of the record are tried on")
	return cmd
}

// matrixFile is the committed data that the page is rendered from.
const matrixFile = "kill-matrix.json"

func writeMatrix(ctx context.Context, runs []string, flags matrixFlags) error {
	path := filepath.Join(flags.docs, matrixFile)
	matrix := &proof.Matrix{}
	if err := readJSON(path, matrix); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := matrix.Migrate(); err != nil {
		return err
	}
	for _, dir := range runs {
		var report proof.Report
		if err := readJSON(filepath.Join(dir, proveFile), &report); err != nil {
			return err
		}
		matrix.Merge(report.Results)
	}
	matrix.Merge(nil)
	if err := takeSound(matrix, flags.sound); err != nil {
		return err
	}
	if err := takeSoaks(matrix, flags.soaks); err != nil {
		return err
	}
	var err error
	if matrix.Records, err = spoil.Tallies(ctx, spoil.Mutants(), flags.seeds); err != nil {
		return err
	}
	matrix.Seeds = flags.seeds
	if err := writeJSON(path, matrix); err != nil {
		return err
	}
	if err := renderMatrix(matrix, flags); err != nil {
		return err
	}
	// The table of peers says of each defect what the matrix says of it: one that
	// is left as it was would say what was.
	if err := writeTable(nil, flags.docs); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// takeSound takes over what runs without mutants said.
func takeSound(matrix *proof.Matrix, runs []string) error {
	for _, dir := range runs {
		reader, err := record.Open(dir)
		if err != nil {
			return fmt.Errorf("--sound: %w", err)
		}
		if err := ofTheMesh(reader.Run()); err != nil {
			return fmt.Errorf("--sound: %w", err)
		}
		verdicts, err := record.ReadVerdicts(dir)
		if err != nil {
			return fmt.Errorf("--sound: %w", err)
		}
		matrix.Hold(reader.Run().ID, verdicts)
	}
	return nil
}

// takeSoaks adds runs of soak up, in place of what was known.
func takeSoaks(matrix *proof.Matrix, runs []string) error {
	if len(runs) == 0 {
		return nil
	}
	matrix.Soak = new(proof.Soak)
	seen := map[string]bool{}
	for _, dir := range runs {
		var one proof.Soak
		if err := readJSON(filepath.Join(dir, soakFile), &one); err != nil {
			return err
		}
		if seen[one.Run] {
			continue // given twice: counted once
		}
		seen[one.Run] = true
		matrix.Soak.Merge(one)
	}
	return nil
}

func renderMatrix(matrix *proof.Matrix, flags matrixFlags) error {
	var page strings.Builder
	if err := matrix.Render(&page); err != nil {
		return err
	}
	readme, err := os.ReadFile(flags.readme)
	if err != nil {
		return fmt.Errorf("read %s: %w", flags.readme, err)
	}
	short, err := matrix.Insert(string(readme))
	if err != nil {
		return fmt.Errorf("%s: %w", flags.readme, err)
	}
	for path, text := range map[string]string{filepath.Join(flags.docs, "kill-matrix.md"): page.String(), flags.readme: short} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

func readJSON(path string, value any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

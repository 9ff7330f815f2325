package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
)

// proveFlags are the knobs of a proof.
type proveFlags struct {
	environmentFlags

	focus, labels, seed, artifacts string
	sample                         time.Duration
	list                           bool
}

func proveCommand() *cobra.Command {
	flags := &proveFlags{}
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "Make defects in the mesh, one by one, and see whether the promises that must notice do",
		Long: `Judges the judges. Each mutant is a small named defect of what a scenario applies:
a weight, a slash, a label that is missing. It is applied to the real cluster and
played with the scenario's own load; the promises that it names must be violated,
and no other one of that scenario may be.

Exit codes: 0 every mutant was killed by what it names, 1 one survived or was
killed by another, 2 inconclusive, 3 one could not be played.`,
		Example: `  wayproof prove --list               the mutants, and the promises that must kill them
  wayproof prove                      all of them
  wayproof prove --focus '^split-'    what matches
  wayproof prove --sample 5m --seed 7 a draw of about five minutes
  wayproof prove records              defects of recorded runs: no cluster`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return prove(cmd.Context(), cmd.OutOrStdout(), flags) },
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.focus, "focus", os.Getenv("FOCUS"), "regular expression on names, titles and promises of mutants (FOCUS)")
	cmd.Flags().StringVar(&flags.labels, "labels", os.Getenv("LABELS"), "labels or tasks of scenarios, comma between (LABELS)")
	cmd.Flags().StringVar(&flags.seed, "seed", os.Getenv("SEED"), "seed of the sample; default: drawn and printed (SEED)")
	cmd.Flags().DurationVar(&flags.sample, "sample", 0, "only a draw by the seed that takes about this long")
	cmd.Flags().BoolVar(&flags.list, "list", false, "print the mutants and stop; no cluster")
	cmd.Flags().StringVar(&flags.artifacts, "artifacts", "artifacts", "folder of the runs' artefacts")
	cmd.AddCommand(proveRecordsCommand(), proveMatrixCommand())
	return cmd
}

// exhibit is a mutant with the scenario that it makes.
type exhibit struct {
	mutant   proof.Mutant
	scenario catalogue.Scenario
	digest   string
}

// exhibits turns flags into mutants, before anything is touched.
func (f *proveFlags) exhibits(seed uint64) ([]exhibit, error) {
	sound, err := proof.Plan(seed)
	if err != nil {
		return nil, err
	}
	selection := proof.Selection{Focus: f.focus, Sample: f.sample, Seed: seed}
	if f.labels != "" {
		selection.Labels = strings.Split(f.labels, ",")
	}
	mutants, err := proof.Select(proof.Mutants(), selection, sound)
	if err != nil {
		return nil, err
	}
	var all []exhibit
	for _, mutant := range mutants {
		scenario, err := mutant.Apply(sound)
		if err != nil {
			return nil, err
		}
		digest, err := mutant.Digest()
		if err != nil {
			return nil, err
		}
		all = append(all, exhibit{mutant, scenario, digest})
	}
	return all, nil
}

// prove is the whole of a proof.
func prove(ctx context.Context, out io.Writer, flags *proveFlags) error {
	seed, err := parseSeed(flags.seed)
	if err != nil {
		return err
	}
	all, err := flags.exhibits(seed)
	if err != nil {
		return err
	}
	if flags.list {
		return listMutants(out, all)
	}
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	lines.Note("seed %d: %d mutants, about %v", seed, len(all), expected(all).Round(time.Second))
	if err := environment.Up(ctx, lines); err != nil {
		return errors.Join(err, flags.leave(ctx, environment, false, lines))
	}
	err = proveOn(ctx, environment, flags, proving{seed: seed, exhibits: all, lines: lines})
	if left := flags.leave(ctx, environment, false, lines); err == nil {
		err = left
	}
	return err
}

func expected(all []exhibit) time.Duration {
	total := time.Duration(0)
	for _, one := range all {
		if one.mutant.Unplayable == "" {
			total += proof.Expect(one.scenario)
		}
	}
	return total
}

func listMutants(out io.Writer, all []exhibit) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, one := range all {
		fmt.Fprintf(table, "%4d\t%s\t%s\t%s\t%s\n", i+1, one.mutant.Name, one.mutant.Title, proof.Expect(one.scenario).Round(time.Second), strings.Join(one.mutant.Promises(), ", "))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the mutants: %w", err)
	}
	fmt.Fprintf(out, "\n%d mutants, about %v on a cluster that is up\n", len(all), expected(all).Round(time.Second))
	return nil
}

// proving is what a proof on a cluster consists of.
type proving struct {
	seed     uint64
	exhibits []exhibit
	lines    *progress.Lines
}

// proveOn plays the mutants on an environment that is up.
func proveOn(ctx context.Context, environment mesh.Environment, flags *proveFlags, p proving) error {
	cluster, err := kube.Connect(ctx, environment.Kubeconfig(), environment.Context())
	if err != nil {
		return err
	}
	run := p.run(flags)
	if run.Environment, err = environment.Describe(ctx); err != nil {
		return err
	}
	stage, err := scene.Open(scene.Options{
		Cluster: cluster, Agent: agentOf(environment), Adopt: flags.adopt, Progress: p.lines, Run: run, Brief: true,
		Dir: filepath.Join(flags.artifacts, run.ID),
	})
	if err != nil {
		return err
	}
	results := p.play(ctx, stage)
	swept := stage.Part(ctx, flags.keep)
	return p.conclude(stage, results, swept)
}

// run is the record that all mutants are played into.
func (p proving) run(flags *proveFlags) record.Run {
	plan := record.Plan{Seed: p.seed, Alpha: catalogue.Budget}
	for _, one := range p.exhibits {
		plan.Promises = append(plan.Promises, one.scenario.Promises...)
	}
	command := fmt.Sprintf("wayproof prove --seed %d", p.seed)
	if flags.focus != "" {
		command += fmt.Sprintf(" --focus %q", flags.focus)
	}
	if flags.labels != "" {
		command += " --labels " + flags.labels
	}
	if flags.sample > 0 {
		command += " --sample " + flags.sample.String()
	}
	return record.Run{Schema: record.Schema, ID: runID(), Seed: p.seed, Started: time.Now().UTC(), Plan: plan, Command: command}
}

// play plays one mutant after the other. What was not reached when ctx ended is
// told as such.
func (p proving) play(ctx context.Context, stage *scene.Scene) []proof.Result {
	var results []proof.Result
	for i, one := range p.exhibits {
		result := one.mutant.Withheld()
		if one.mutant.Unplayable == "" {
			began := time.Now()
			done := p.lines.Step(fmt.Sprintf("mutant %d of %d, %s: %s", i+1, len(p.exhibits), one.mutant.Name, one.mutant.Title))
			verdicts, err := p.one(ctx, stage, one)
			result = one.mutant.Judge(one.scenario, verdicts, err)
			result.Seconds = time.Since(began).Seconds()
			done(err)
		}
		result.Digest, result.Run, result.Istio = one.digest, stage.Run().ID, stage.Run().Environment.Istio
		results = append(results, result)
		p.lines.Note("%s", tellResult(result))
	}
	return results
}

func (p proving) one(ctx context.Context, stage *scene.Scene, one exhibit) ([]record.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("not reached: %w", err)
	}
	return stage.Play(ctx, one.scenario)
}

// tellResult is one result in a line.
func tellResult(r proof.Result) string {
	text := fmt.Sprintf("%s  %s  %s", strings.ToUpper(string(r.Fate)), r.Mutant, r.Title)
	if r.Reason != "" {
		return text + ": " + r.Reason
	}
	for _, seen := range r.Seen {
		if r.Fate != fate.Killed || seen.Outcome == record.Violated {
			text += fmt.Sprintf("\n    %s %s: %s", seen.Promise, seen.Outcome, seen.Detail)
		}
	}
	return text
}

// conclude writes the record and prove.json, and turns the worst fate into the
// exit code.
func (p proving) conclude(stage *scene.Scene, results []proof.Result, swept error) error {
	code, worst := proveCode(results)
	finished := stage.Finish()
	run := stage.Run()
	path := filepath.Join(stage.Dir(), proveFile)
	err := writeJSON(path, proof.Report{
		Schema: proof.Schema, Run: run.ID, Seed: p.seed, Command: run.Command, Started: run.Started, Ended: run.Ended,
		Environment: run.Environment, Results: results,
	})
	counts := proof.Fates(results)
	p.lines.Note("%d of %d mutants killed, %d not playable here: %s", counts[fate.Killed], len(results), counts[fate.Unplayable], path)
	failed := errors.Join(finished, err, swept)
	if code != exitHeld {
		failed = errors.Join(fmt.Errorf("%d of %d mutants: %s: see %s", counts[worst], len(results), worst, path), failed)
	}
	return ended(stage, codeOf(code, errors.Join(finished, err, swept)), failed)
}

// proveFile is the name of the result among a run's artefacts.
const proveFile = "prove.json"

// proveCode is the exit code, and the fate that it is for.
func proveCode(results []proof.Result) (int, fate.Fate) {
	counts := proof.Fates(results)
	for _, one := range []struct {
		fate fate.Fate
		code int
	}{
		{fate.Survived, exitViolated},
		{fate.Elsewhere, exitViolated},
		{fate.Beyond, exitViolated},
		{fate.Failed, exitCouldNotRun},
		{fate.Inconclusive, exitInconclusive},
	} {
		if counts[one.fate] > 0 {
			return one.code, one.fate
		}
	}
	if counts[fate.Killed] == 0 { // nothing was shown
		return exitInconclusive, fate.Unplayable
	}
	return exitHeld, fate.Killed
}

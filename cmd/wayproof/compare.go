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

	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/peer"
	"github.com/wayproof/wayproof/internal/peer/play"
	"github.com/wayproof/wayproof/internal/peer/table"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/ready"
)

// compareFlags are the knobs of a comparison.
type compareFlags struct {
	environmentFlags

	focus, artifacts, echo string
	list                   bool
}

func compareCommand() *cobra.Command {
	flags := &compareFlags{}
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Make the same defects under Gateway API's own conformance suite, and see which it lets pass",
		Long: `Sets a peer beside this harness. The mesh profile of Gateway API's conformance suite
is compiled from its Go module and played on the same mesh: first as it is, then
with one small defect after the other in the routes that its tests apply, or in how
its namespace is enrolled. Its deadlines are its own: a request that never gets the
right answer takes 30 seconds.

It is called and calls by Istio's echo, which is made and loaded where the cluster
is ours; elsewhere the nodes pull the suite's own image, or --echo-image.

What each mutant came to is in artifacts/<run>/compare.json, and all that the suite
printed beside it. compare table takes it over into docs/.

Exit codes: 0 the sound mesh passed and every mutant was asked about, whatever was
let pass; 1 the sound mesh fails a test of the profile; 3 could not run, or could
not ask about a mutant. Needs Go and a checkout of wayproof.`,
		Example: `  wayproof compare --list             the mutants, and the tests that are asked
  wayproof compare                    all of them
  wayproof compare --focus '^split-'  what matches
  wayproof compare table RUN          write docs/compare.json and docs/compare.md`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return compare(cmd.Context(), cmd.OutOrStdout(), flags) },
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.focus, "focus", os.Getenv("FOCUS"), "regular expression on names, titles and tests of mutants (FOCUS)")
	cmd.Flags().StringVar(&flags.artifacts, "artifacts", "artifacts", "folder of the runs' artefacts")
	cmd.Flags().StringVar(&flags.echo, "echo-image", "", "image of Istio's echo that the nodes can pull (default: made and loaded; with --existing the suite's own)")
	cmd.Flags().BoolVar(&flags.list, "list", false, "print the mutants and stop; no cluster")
	cmd.AddCommand(compareTableCommand())
	return cmd
}

// compare is the whole of a comparison.
func compare(ctx context.Context, out io.Writer, flags *compareFlags) error {
	mutants, err := peer.Select(flags.focus)
	if err != nil {
		return err
	}
	if flags.list {
		return listPeers(out, mutants)
	}
	if flags.adopt {
		return errors.New("--adopt is not for compare: upstream's suite writes its namespaces anew")
	}
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	program, drop, err := compileUpstream(ctx, lines)
	if err != nil {
		return err
	}
	defer drop()
	if err := environment.Up(ctx, lines); err != nil {
		return errors.Join(err, flags.leave(ctx, environment, false, lines))
	}
	c := &comparing{flags: flags, mutants: mutants, program: program, lines: lines}
	err = c.on(ctx, environment)
	if left := flags.leave(ctx, environment, false, lines); err == nil {
		err = left
	}
	return err
}

func listPeers(out io.Writer, mutants []peer.Mutant) error {
	rows := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, mutant := range mutants {
		whose := "also ours"
		if !mutant.Ours {
			whose = "upstream's alone"
		}
		fmt.Fprintf(rows, "%4d\t%s\t%s\t%s\t%s\n", i+1, mutant.Name, mutant.Title, whose, strings.Join(mutant.Tests, ", "))
	}
	if err := rows.Flush(); err != nil {
		return fmt.Errorf("print the mutants: %w", err)
	}
	return nil
}

// compileUpstream compiles the suite before anything is brought up: a machine
// that cannot says so at once. drop removes it again.
func compileUpstream(ctx context.Context, lines mesh.Progress) (program string, drop func(), err error) {
	source, err := build.FindSource()
	if err != nil {
		return "", nil, fmt.Errorf("compile upstream's suite: %w", err)
	}
	dir, err := os.MkdirTemp("", "wayproof-upstream-")
	if err != nil {
		return "", nil, fmt.Errorf("make room for upstream's suite: %w", err)
	}
	drop = func() { _ = os.RemoveAll(dir) }
	done := lines.Step("compile Gateway API's conformance suite " + peer.Version)
	program, err = play.Compile(ctx, source, dir)
	done(err)
	if err != nil {
		drop()
	}
	return program, drop, err
}

// comparing is a comparison under way.
type comparing struct {
	flags   *compareFlags
	mutants []peer.Mutant
	program string
	lines   *progress.Lines
	report  table.Report
}

// on plays the mutants on an environment that is up.
func (c *comparing) on(ctx context.Context, environment mesh.Environment) error {
	bench, err := c.bench(ctx, environment)
	if err != nil {
		return err
	}
	played := bench.Lay(ctx)
	if played == nil {
		c.report.Sound, played = bench.Sound(ctx, peer.Asked(c.mutants))
	}
	if played == nil {
		c.report.Results = bench.Mutants(ctx, c.mutants, c.report.Sound)
	}
	if !c.flags.keep {
		played = errors.Join(played, bench.Sweep(ctx))
	}
	return c.conclude(bench.Dir, played)
}

func (c *comparing) bench(ctx context.Context, environment mesh.Environment) (*play.Bench, error) {
	echo := c.flags.echo
	if loader, ok := environment.(mesh.EchoLoader); ok && echo == "" {
		var err error
		if echo, err = loader.LoadEcho(ctx, c.lines); err != nil {
			return nil, err
		}
	}
	cluster, err := kube.Connect(ctx, environment.Kubeconfig(), environment.Context())
	if err != nil {
		return nil, err
	}
	c.report = table.Report{Schema: table.Schema, Run: runID(), Command: c.flags.command(), Started: time.Now().UTC()}
	if c.report.Environment, err = environment.Describe(ctx); err != nil {
		return nil, err
	}
	dir := filepath.Join(c.flags.artifacts, c.report.Run)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the run's folder: %w", err)
	}
	owner := kube.Owner{Run: c.report.Run}
	return &play.Bench{
		Cluster: cluster, Owner: owner, Gate: ready.NewGate(cluster, owner),
		Program: c.program, Echo: echo, Dir: dir, Progress: c.lines,
	}, nil
}

func (f *compareFlags) command() string {
	if f.focus == "" {
		return "wayproof compare"
	}
	return fmt.Sprintf("wayproof compare --focus %q", f.focus)
}

// compareFile is the name of the result among a run's artefacts.
const compareFile = "compare.json"

// conclude writes compare.json, and turns what was found into the exit code.
func (c *comparing) conclude(dir string, played error) error {
	c.report.Ended = time.Now().UTC()
	path := filepath.Join(dir, compareFile)
	if err := writeJSON(path, c.report); err != nil {
		return errors.Join(err, played)
	}
	counts := map[peer.Verdict]int{}
	for _, result := range c.report.Results {
		counts[result.Verdict]++
	}
	c.lines.Note("of %d mutants upstream killed %d and let %d pass: %s; take it over with: wayproof compare table %s",
		len(c.report.Results), counts[peer.Killed], counts[peer.Passes], path, dir)
	code, err := compareCode(c.report)
	if played != nil {
		code = exitCouldNotRun
	}
	if err = errors.Join(played, err); err != nil {
		return &exitError{code: code, err: fmt.Errorf("%w: see %s", err, dir)}
	}
	return nil
}

// compareCode is the exit code of what was found, and why it is not 0.
func compareCode(report table.Report) (int, error) {
	var failing, open []string
	for _, test := range peer.Profile() {
		outcome, asked := peer.Of(report.Sound, test.Name)
		if asked && !outcome.Passed && test.Group != peer.Beside {
			failing = append(failing, test.Name)
		}
	}
	for _, result := range report.Results {
		if result.Verdict == peer.Failed {
			open = append(open, result.Mutant)
		}
	}
	switch {
	case len(failing) > 0:
		return exitViolated, fmt.Errorf("the sound mesh fails %s", strings.Join(failing, ", "))
	case len(open) > 0:
		return exitCouldNotRun, fmt.Errorf("upstream could not be asked about %s", strings.Join(open, ", "))
	}
	return exitHeld, nil
}

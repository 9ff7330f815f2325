package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
	"github.com/wayproof/wayproof/suites"
	_ "github.com/wayproof/wayproof/suites/traffic" // registers its specs
)

// runFlags are the knobs of a run beside those of its environment.
type runFlags struct {
	environmentFlags

	focus, labels, promise, seed, artifacts, rerun, history string
	retain                                                  int
	down                                                    bool
}

func runCommand() *cobra.Command {
	flags := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Apply the tasks, drive load, judge, and write the artefacts",
		Long: `Brings up whatever is missing, plays the scenarios of the workshop's tasks one by
one, records what clients and pods saw, and judges every promise.

Everything lies in artifacts/<run>/ afterwards; artifacts/latest points there.
The exit code is 0 held, 1 violated, 2 inconclusive, and 3 if something could not
be done: run, clean up, write a report. 1 outweighs 3, and 3 outweighs 2. It also
stands in artifacts/<run>/exit-code, which is written last; only what goes wrong
afterwards, while --down removes the cluster, is not in it.`,
		Example: `  wayproof run                        all tasks and capabilities
  wayproof run --focus split          what matches "split"
  wayproof run --labels quick         the subset for pull requests
  wayproof run --rerun-failed artifacts/latest`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSuites(cmd.Context(), flags) },
	}
	flags.register(cmd)
	flags.registerRun(cmd)
	cmd.Flags().BoolVar(&flags.down, "down", false, "remove the cluster afterwards, unless --keep")
	return cmd
}

func (f *runFlags) registerRun(cmd *cobra.Command) {
	f.registerSelection(cmd)
	cmd.Flags().StringVar(&f.seed, "seed", os.Getenv("SEED"), "seed of everything random; default: drawn and printed (SEED)")
	cmd.Flags().StringVar(&f.history, "history", os.Getenv("HISTORY"), "append-only file that gets a line for the run (HISTORY)")
	cmd.Flags().IntVar(&f.retain, "retain", 0, "remove older recorded runs from --artifacts afterwards, but for so many; 0 keeps all")
	cmd.Flags().StringVar(&f.artifacts, "artifacts", "artifacts", "folder of the runs' artefacts")
}

// registerSelection is what picks scenarios, also where none is played.
func (f *runFlags) registerSelection(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.focus, "focus", os.Getenv("FOCUS"), "regular expression on scenario ids and titles (FOCUS)")
	cmd.Flags().StringVar(&f.labels, "labels", os.Getenv("LABELS"), "labels or tasks, comma between, any of which a scenario must carry (LABELS)")
	cmd.Flags().StringVar(&f.promise, "promise", "", "only these promises, by id, comma between, and the load that they read")
	cmd.Flags().StringVar(&f.rerun, "rerun-failed", "", "only what did not hold in that run")
}

// intent is what a run is going to do.
type intent struct {
	scenarios []catalogue.Scenario
	run       record.Run
}

// intend turns flags into a plan, before anything is touched.
func (f *runFlags) intend() (intent, error) {
	seed, err := parseSeed(f.seed)
	if err != nil {
		return intent{}, err
	}
	if err := f.later(); err != nil {
		return intent{}, err
	}
	selection := catalogue.Selection{Focus: f.focus}
	if f.labels != "" {
		selection.Labels = strings.Split(f.labels, ",")
	}
	if f.rerun != "" {
		if f.focus+f.labels+f.promise != "" {
			return intent{}, errors.New("--rerun-failed says what to run: give no --focus, --labels or --promise beside it")
		}
		if selection.IDs, err = failedIn(f.rerun); err != nil {
			return intent{}, err
		}
	}
	scenarios, err := catalogue.Select(catalogue.Traffic(), selection)
	if err != nil {
		return intent{}, err
	}
	if scenarios, err = f.only(scenarios); err != nil {
		return intent{}, err
	}
	plan, err := catalogue.Plan(scenarios, seed)
	if err != nil {
		return intent{}, err
	}
	plan.Unselected = catalogue.Unselected(catalogue.Traffic(), plan)
	again := fmt.Sprintf("wayproof run --seed %d%s", seed, f.where())
	return intent{scenarios: scenarios, run: record.Run{
		Schema: record.Schema, ID: runID(), Seed: seed, Started: time.Now().UTC(), Plan: plan,
		Command: again + f.picked(), Again: again,
	}}, nil
}

func parseSeed(text string) (uint64, error) {
	if text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("--seed %q is no number", text)
		}
		return seed, nil
	}
	var drawn [8]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		return 0, fmt.Errorf("draw a seed: %w", err)
	}
	return binary.BigEndian.Uint64(drawn[:]) >> 1, nil
}

func runID() string { return scene.NewRunID() }

// failedIn lists the promises that did not hold in an earlier run.
func failedIn(dir string) ([]string, error) {
	verdicts, err := record.ReadVerdicts(dir)
	if err != nil {
		return nil, fmt.Errorf("--rerun-failed: %w", err)
	}
	var ids []string
	for _, verdict := range verdicts {
		if verdict.Verdict == record.Violated || verdict.Verdict == record.Inconclusive {
			ids = append(ids, strings.TrimPrefix(verdict.ID, claim.StalePrefix))
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("--rerun-failed: everything in %s held", dir)
	}
	return ids, nil
}

// runSuites is the whole of a run.
func runSuites(ctx context.Context, flags *runFlags) error {
	intended, err := flags.intend()
	if err != nil {
		return err
	}
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	lines.Note("run %s, seed %d: %d scenarios, %d promises, false-alarm budget %g",
		intended.run.ID, intended.run.Seed, len(intended.scenarios), len(intended.run.Plan.Promises), intended.run.Plan.Alpha)
	if err := environment.Up(ctx, lines); err != nil {
		return errors.Join(err, flags.leave(ctx, environment, false, lines))
	}
	err = runOn(ctx, environment, flags, intended, lines)
	return alsoFailed(err, flags.leave(ctx, environment, flags.down, lines))
}

// runOn plays the scenarios on an environment that is up.
func runOn(ctx context.Context, environment mesh.Environment, flags *runFlags, intended intent, lines *progress.Lines) error {
	cluster, err := kube.Connect(ctx, environment.Kubeconfig(), environment.Context())
	if err != nil {
		return err
	}
	if intended.run.Environment, err = environment.Describe(ctx); err != nil {
		return err
	}
	known, err := catalogue.Known()
	if err != nil {
		return err
	}
	stage, err := scene.Open(scene.Options{
		Known: known, Cluster: cluster, Agent: agentOf(environment), Adopt: flags.adopt, Progress: lines, Run: intended.run,
		Dir: filepath.Join(flags.artifacts, intended.run.ID),
	})
	if err != nil {
		return err
	}
	if flags.mayTouchSystem() {
		stage.System()
	}
	session := &suites.Session{Scene: stage, Selected: map[string]bool{}, Report: func(v record.Verdict) { lines.Note("%s", claim.Line(v)) }}
	for _, scenario := range intended.scenarios {
		session.Selected[scenario.ID] = true
	}
	suites.Use(session)
	runSpecs(intended.run.Seed)
	swept := stage.Part(ctx, flags.keep)
	return conclude(context.WithoutCancel(ctx), stage, errors.Join(session.Trouble, swept), flags)
}

// specOutcome is what Ginkgo needs of a test; the verdicts say more than its
// yes or no.
type specOutcome struct{ failed bool }

func (s *specOutcome) Fail() { s.failed = true }

// specConfiguration is Ginkgo's, for a run. Each spec has a time of its own; all
// together have none: the hour that Ginkgo gives a suite would cut a schedule of
// faults, or a plateau, that takes longer.
func specConfiguration(seed uint64) (types.SuiteConfig, types.ReporterConfig) {
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.FailOnPending, suite.FailOnEmpty = true, true
	suite.RandomSeed = int64(seed >> 1) // half of it always fits
	suite.Timeout = 0
	return suite, reporter
}

// runSpecs runs the registered specs in this process, tasks in an order that the
// run's seed draws.
func runSpecs(seed uint64) {
	suite, reporter := specConfiguration(seed)
	reporter.NoColor = !progress.IsTerminal(os.Stdout)
	outcome := &specOutcome{}
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(outcome, "wayproof", suite, reporter)
}

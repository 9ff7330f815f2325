package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/suites"
	_ "github.com/wayproof/wayproof/suites/resilience" // registers its specs
)

func chaosCommand() *cobra.Command {
	flags := &chaosFlags{}
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Break one thing after the other under load, and judge what it cost",
		Long: `Plays the experiments of the resilience suite: each injects one fault under load
in four arms (GET and POST on kept connections, a new connection for each
request, streams), and judges the windows before, under and after it against
stated budgets. How to undo a fault is written down in the cluster before it is
injected; a watchdog in the cluster undoes it when wayproof dies.`,
		Example: `  wayproof chaos                      every experiment
  wayproof chaos --focus kill         what matches "kill"
  wayproof chaos plan --seed 7        the schedule that a seed draws
  wayproof chaos --seed 7 --duration 10m          play that schedule
  wayproof heal                       undo what is written down, by hand`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runChaos(cmd.Context(), flags) },
	}
	flags.register(cmd)
	flags.registerRun(cmd)
	flags.registerSystem(cmd)
	flags.nemesis.register(cmd)
	cmd.Flags().BoolVar(&flags.long, "long", isSet("LONG"), "also what takes very long: the workshop's autoscaler with its plateau and way back (LONG)")
	cmd.AddCommand(chaosPlanCommand(), chaosShrinkCommand(), chaosMatrixCommand(), chaosCellCommand())
	return cmd
}

// chaosFlags are those of a run, and of a schedule of random faults.
type chaosFlags struct {
	runFlags

	nemesis nemesisFlags
	long    bool
}

// intendChaos turns flags into a plan: the experiments that are selected, or a
// schedule that the seed draws.
func (f *chaosFlags) intendChaos() (intent, []catalogue.Experiment, error) {
	if f.nemesis.misread != nil {
		return intent{}, nil, f.nemesis.misread
	}
	seed, err := parseSeed(f.seed)
	if err != nil {
		return intent{}, nil, err
	}
	if err := f.later(); err != nil {
		return intent{}, nil, err
	}
	scenarios, experiments, err := f.chosen(seed)
	if err != nil {
		return intent{}, nil, err
	}
	plan, err := catalogue.Plan(scenarios, seed)
	if err != nil {
		return intent{}, nil, err
	}
	if f.nemesis.length == 0 { // what a seed draws is no part of a catalogue
		plan.Unselected = catalogue.Unselected(resilience(), plan)
	}
	return intent{scenarios: scenarios, run: record.Run{
		Schema: record.Schema, ID: runID(), Seed: seed, Started: time.Now().UTC(), Plan: plan,
		Command: f.again(seed) + f.picked(), Again: f.again(seed),
	}}, experiments, nil
}

// again is the command line but for what picked experiments.
func (f *chaosFlags) again(seed uint64) string {
	text := fmt.Sprintf("wayproof chaos --seed %d%s", seed, f.where())
	if f.nemesis.length > 0 {
		text += " --duration " + f.nemesis.length.String()
	}
	if f.long {
		text += " --long"
	}
	if f.system {
		text += " --system"
	}
	return text + spelled([2]string{"strikes", f.nemesis.strikes})
}

// chosen are the scenarios that are played, and those of them that are
// experiments.
func (f *chaosFlags) chosen(seed uint64) ([]catalogue.Scenario, []catalogue.Experiment, error) {
	if f.nemesis.length > 0 {
		nemesis, err := f.schedule(seed)
		return []catalogue.Scenario{nemesis.Scenario}, []catalogue.Experiment{nemesis}, err
	}
	picked, err := f.pick()
	return picked, thoseOf(picked), err
}

// schedule is what the seed draws, as an experiment.
func (f *chaosFlags) schedule(seed uint64) (catalogue.Experiment, error) {
	strikes, err := f.nemesis.schedule(seed)
	if err != nil || len(strikes) == 0 {
		return catalogue.Experiment{}, errors.Join(err, fmt.Errorf("no fault fits into %v", f.nemesis.length))
	}
	nemesis := catalogue.Nemesis(strikes)
	picked, err := f.only([]catalogue.Scenario{nemesis.Scenario})
	if err != nil {
		return catalogue.Experiment{}, err
	}
	nemesis.Promises = picked[0].Promises
	return nemesis, nil
}

// pick selects among the experiments and the plateaus of the autoscaler, those
// of them that take long only when asked for.
func (f *chaosFlags) pick() ([]catalogue.Scenario, error) {
	selection := catalogue.Selection{Focus: f.focus}
	if f.labels != "" {
		selection.Labels = strings.Split(f.labels, ",")
	}
	var err error
	if f.rerun != "" {
		if selection.IDs, err = failedIn(f.rerun); err != nil {
			return nil, err
		}
	}
	all := resilience()
	if !f.long {
		all = slices.DeleteFunc(all, func(s catalogue.Scenario) bool { return slices.Contains(s.Labels, catalogue.Long) })
	}
	picked, err := catalogue.Select(all, selection)
	if err != nil {
		return nil, err
	}
	return f.only(picked)
}

// resilience is everything that chaos can be asked to play.
func resilience() []catalogue.Scenario {
	return slices.Concat(catalogue.ScenariosOf(catalogue.Resilience()), catalogue.Elasticity())
}

// thoseOf are the experiments of scenarios, with the promises of these. All of
// the load stays: faults are judged under it.
func thoseOf(picked []catalogue.Scenario) []catalogue.Experiment {
	var experiments []catalogue.Experiment
	for _, e := range catalogue.Resilience() {
		at := slices.IndexFunc(picked, func(s catalogue.Scenario) bool { return s.ID == e.ID })
		if at >= 0 {
			e.Promises = picked[at].Promises
			experiments = append(experiments, e)
		}
	}
	return experiments
}

// runChaos is the whole of a run of experiments.
func runChaos(ctx context.Context, flags *chaosFlags) error {
	intended, experiments, err := flags.intendChaos()
	if err != nil {
		return err
	}
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	lines.Note("run %s, seed %d: %d experiments, %d promises", intended.run.ID, intended.run.Seed, len(intended.scenarios), len(intended.run.Plan.Promises))
	for _, e := range experiments {
		if len(e.Strikes) > 0 {
			lines.Note("%s", chaos.Numbered(intended.run.Seed, e.Strikes))
			suites.Schedule(e)
		}
	}
	if err := environment.Up(ctx, lines); err != nil {
		return errors.Join(err, flags.leave(ctx, environment, false, lines))
	}
	err = runOn(ctx, environment, &flags.runFlags, intended, lines)
	return alsoFailed(err, flags.leave(ctx, environment, false, lines))
}

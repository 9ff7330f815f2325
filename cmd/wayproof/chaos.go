package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/record"
	_ "github.com/wayproof/wayproof/suites/resilience" // registers its specs
)

func chaosCommand() *cobra.Command {
	flags := &runFlags{}
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
  wayproof heal                       undo what is written down, by hand`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runChaos(cmd.Context(), flags) },
	}
	flags.register(cmd)
	flags.registerRun(cmd)
	cmd.AddCommand(chaosPlanCommand(), chaosMatrixCommand(), chaosCellCommand())
	return cmd
}

// intendChaos turns flags into a plan of experiments.
func (f *runFlags) intendChaos() (intent, error) {
	seed, err := parseSeed(f.seed)
	if err != nil {
		return intent{}, err
	}
	selection := catalogue.Selection{Focus: f.focus}
	if f.labels != "" {
		selection.Labels = strings.Split(f.labels, ",")
	}
	if f.rerun != "" {
		if selection.IDs, err = failedIn(f.rerun); err != nil {
			return intent{}, err
		}
	}
	scenarios, err := catalogue.Select(catalogue.ScenariosOf(catalogue.Resilience()), selection)
	if err != nil {
		return intent{}, err
	}
	plan, err := catalogue.Plan(scenarios, seed)
	if err != nil {
		return intent{}, err
	}
	return intent{scenarios: scenarios, run: record.Run{
		Schema: record.Schema, ID: runID(), Seed: seed, Started: time.Now().UTC(), Plan: plan,
		Command: fmt.Sprintf("wayproof chaos --seed %d%s", seed, f.again()),
	}}, nil
}

// runChaos is the whole of a run of experiments.
func runChaos(ctx context.Context, flags *runFlags) error {
	intended, err := flags.intendChaos()
	if err != nil {
		return err
	}
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	lines.Note("run %s, seed %d: %d experiments, %d promises", intended.run.ID, intended.run.Seed, len(intended.scenarios), len(intended.run.Plan.Promises))
	if err := environment.Up(ctx, lines); err != nil {
		return errors.Join(err, flags.leave(ctx, environment, false, lines))
	}
	err = runOn(ctx, environment, flags, intended, lines)
	if left := flags.leave(ctx, environment, false, lines); err == nil {
		err = left
	}
	return err
}

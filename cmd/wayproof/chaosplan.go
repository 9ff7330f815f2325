package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// nemesisSettle is how long a waypoint is left alone between two faults.
const nemesisSettle = 30 * time.Second

func constraints(duration time.Duration) chaos.Constraints {
	return chaos.Constraints{Duration: duration, Settle: nemesisSettle, Jitter: nemesisSettle / 2, Apart: true}
}

// faultsOf are the faults of experiments.
func faultsOf(experiments []catalogue.Experiment) []chaos.Spec {
	specs := make([]chaos.Spec, len(experiments))
	for i, experiment := range experiments {
		specs[i] = experiment.Fault
	}
	return specs
}

func chaosPlanCommand() *cobra.Command {
	var seedText string
	var duration time.Duration
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Print the schedule of faults that a seed draws, without a cluster",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			seed, err := parseSeed(seedText)
			if err != nil {
				return err
			}
			strikes := chaos.Schedule(seed, faultsOf(catalogue.Resilience()), constraints(duration))
			_, err = fmt.Fprint(cmd.OutOrStdout(), chaos.Numbered(seed, strikes))
			return err
		},
	}
	cmd.Flags().StringVar(&seedText, "seed", env("SEED", ""), "seed of the schedule (SEED)")
	cmd.Flags().DurationVar(&duration, "duration", envDuration("DURATION", 10*time.Minute), "how long the schedule is (DURATION)")
	return cmd
}

func envDuration(name string, otherwise time.Duration) time.Duration {
	if length, err := time.ParseDuration(env(name, "")); err == nil {
		return length
	}
	return otherwise
}

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// nemesisFlags say which schedule: all of what a seed draws, or some of it.
type nemesisFlags struct {
	seed    string
	length  time.Duration
	strikes string
}

func (f *nemesisFlags) register(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.length, "duration", envDuration("DURATION"), "length of a schedule of random faults; 0 plays each experiment once (DURATION)")
	cmd.Flags().StringVar(&f.strikes, "strikes", "", "only these strikes of the schedule, by number: 2,5")
}

func envDuration(name string) time.Duration {
	length, err := time.ParseDuration(env(name, "0s"))
	if err != nil {
		return 0
	}
	return length
}

// schedule draws the strikes and keeps those that are asked for.
func (f *nemesisFlags) schedule(seed uint64) ([]chaos.Strike, error) {
	strikes := catalogue.Strikes(seed, f.length)
	if f.strikes == "" {
		return strikes, nil
	}
	var wanted []int
	for part := range strings.SplitSeq(f.strikes, ",") {
		number, err := strconv.Atoi(part)
		if err != nil || number < 1 || number > len(strikes) {
			return nil, fmt.Errorf("--strikes %q: %q is no number from 1 to %d", f.strikes, part, len(strikes))
		}
		wanted = append(wanted, number)
	}
	return slices.DeleteFunc(strikes, func(s chaos.Strike) bool { return !slices.Contains(wanted, s.Number) }), nil
}

func chaosPlanCommand() *cobra.Command {
	flags := &nemesisFlags{}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Print the schedule of faults that a seed draws, without a cluster",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			seed, err := parseSeed(flags.seed)
			if err != nil {
				return err
			}
			if flags.length == 0 {
				flags.length = defaultNemesis
			}
			strikes, err := flags.schedule(seed)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), chaos.Numbered(seed, strikes))
			return err
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.seed, "seed", env("SEED", ""), "seed of the schedule (SEED)")
	return cmd
}

// defaultNemesis is the length of a schedule where none is given.
const defaultNemesis = 10 * time.Minute

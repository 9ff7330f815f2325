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
	misread error // of the variable DURATION
}

func (f *nemesisFlags) register(cmd *cobra.Command) {
	length, err := envDuration("DURATION")
	f.misread = err
	cmd.Flags().DurationVar(&f.length, "duration", length, "length of a schedule of random faults; 0 plays each experiment once (DURATION)")
	cmd.Flags().StringVar(&f.strikes, "strikes", "", "only these strikes of the schedule, by number: 2,5")
}

// envDuration is the length that a variable gives. One that is none must not turn
// into another run than was asked for.
func envDuration(name string) (time.Duration, error) {
	text := env(name, "0s")
	length, err := time.ParseDuration(text)
	if err != nil || length < 0 {
		return 0, fmt.Errorf("%s=%q is no length of time: give one with its unit, such as 10m", name, text)
	}
	return length, nil
}

// schedule draws the strikes and keeps those that are asked for.
func (f *nemesisFlags) schedule(seed uint64) ([]chaos.Strike, error) {
	if f.misread != nil {
		return nil, f.misread
	}
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
			if flags.length == 0 && flags.misread == nil {
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

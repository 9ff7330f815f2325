package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/progress"
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

func chaosShrinkCommand() *cobra.Command {
	flags := &nemesisFlags{}
	cmd := &cobra.Command{
		Use:   "shrink",
		Short: "Find the few faults of a schedule without which no promise is violated",
		Long: `Plays subsets of a schedule, each as a run of its own, until no single strike
can be left out without the violation going away (ddmin). Each trial takes as
long as the strikes it plays.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			seed, err := parseSeed(flags.seed)
			if err != nil {
				return err
			}
			return shrink(cmd.Context(), flags, seed, progress.New(os.Stderr))
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.seed, "seed", env("SEED", ""), "seed of the schedule (SEED)")
	return cmd
}

func shrink(ctx context.Context, flags *nemesisFlags, seed uint64, lines *progress.Lines) error {
	strikes, err := flags.schedule(seed)
	if err != nil {
		return err
	}
	if len(strikes) == 0 {
		return errors.New("the schedule is empty: give --duration")
	}
	trial := func(some []chaos.Strike) (bool, error) { return playTrial(ctx, flags.length, seed, some) }
	violates, err := trial(strikes)
	if err != nil {
		return err
	}
	if !violates {
		lines.Note("the whole schedule violates nothing: there is nothing to shrink")
		return nil
	}
	minimal, trials, err := chaos.Shrink(strikes, trial)
	lines.Note("%d trials; minimal schedule, again by %s\n%s", trials, trialCommand(flags.length, seed, minimal), chaos.Numbered(seed, minimal))
	return err
}

func trialCommand(length time.Duration, seed uint64, some []chaos.Strike) string {
	return "wayproof " + strings.Join(trialArgs(length, seed, some), " ")
}

func trialArgs(length time.Duration, seed uint64, some []chaos.Strike) []string {
	numbers := make([]string, len(some))
	for i, strike := range some {
		numbers[i] = strconv.Itoa(strike.Number)
	}
	return []string{"chaos", "--keep", "--seed", strconv.FormatUint(seed, 10), "--duration", length.String(), "--strikes", strings.Join(numbers, ",")}
}

// playTrial runs this program on a subset: its exit code says whether a promise
// was violated. A trial that shows nothing either way ends the search.
func playTrial(ctx context.Context, length time.Duration, seed uint64, some []chaos.Strike) (bool, error) {
	self, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, trialArgs(length, seed, some)...)
	cmd.Stderr = os.Stderr
	err = cmd.Run()
	var exited *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &exited) && exited.ExitCode() == exitViolated:
		return true, nil
	}
	return false, fmt.Errorf("trial %s: %w", trialCommand(length, seed, some), err)
}

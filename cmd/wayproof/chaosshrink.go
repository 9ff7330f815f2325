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
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/progress"
)

// shrinkFlags are those of a run, and how to search.
type shrinkFlags struct {
	chaosFlags

	repeat int
	passed []string // flags of the run that each trial gets, too
	lines  *progress.Lines
}

func chaosShrinkCommand() *cobra.Command {
	flags := &shrinkFlags{lines: progress.New(os.Stderr)}
	cmd := &cobra.Command{
		Use:   "shrink",
		Short: "Find the few faults of a schedule without which no promise is violated",
		Long: `Plays subsets of a schedule, each as a run of its own, until no single strike
can be left out without the violation going away (ddmin). Each trial takes as
long as the strikes it plays. A trial that ends inconclusive shows nothing, and
counts as one without a violation; with --repeat a subset is played again until
it violates or has been played so often.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			seed, err := parseSeed(flags.seed)
			if err != nil {
				return err
			}
			flags.passed = passedOn(cmd.Flags())
			return flags.shrink(cmd.Context(), seed)
		},
	}
	flags.register(cmd)
	flags.registerRun(cmd)
	flags.registerSystem(cmd)
	flags.nemesis.register(cmd)
	cmd.Flags().IntVar(&flags.repeat, "repeat", 1, "how often a subset is played until it counts as harmless")
	return cmd
}

// passedOn are the flags that were given, but those that a trial has its own of.
func passedOn(given *pflag.FlagSet) (flags []string) {
	own := []string{"seed", "duration", "strikes", "repeat", "keep"}
	given.Visit(func(f *pflag.Flag) {
		if !slices.Contains(own, f.Name) {
			flags = append(flags, "--"+f.Name+"="+f.Value.String())
		}
	})
	return flags
}

func (f *shrinkFlags) shrink(ctx context.Context, seed uint64) error {
	strikes, err := f.nemesis.schedule(seed)
	if err != nil {
		return err
	}
	if len(strikes) == 0 {
		return errors.New("the schedule is empty: give --duration")
	}
	trial := func(some []chaos.Strike) (bool, error) { return f.violates(ctx, seed, some) }
	violates, err := trial(strikes)
	if err != nil {
		return err
	}
	if !violates {
		f.lines.Note("the whole schedule violates nothing: there is nothing to shrink")
		return nil
	}
	minimal, trials, err := chaos.Shrink(strikes, trial)
	f.lines.Note("%d trials after the whole; minimal schedule, again by wayproof %s\n%s", trials, strings.Join(f.trialArgs(seed, minimal), " "), chaos.Numbered(seed, minimal))
	return err
}

// violates plays a subset until it violates, at most as often as is asked for.
func (f *shrinkFlags) violates(ctx context.Context, seed uint64, some []chaos.Strike) (bool, error) {
	for range max(f.repeat, 1) {
		violated, err := f.play(ctx, seed, some)
		if violated || err != nil {
			return violated, err
		}
	}
	return false, nil
}

// interruptWait is how long an aborted trial may take to undo what it did.
const interruptWait = 6 * time.Minute

// play runs this program on a subset: its exit code says whether a promise was
// violated. A trial that could not be played ends the search.
func (f *shrinkFlags) play(ctx context.Context, seed uint64, some []chaos.Strike) (bool, error) {
	self, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("find this program: %w", err)
	}
	args := f.trialArgs(seed, some)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr, cmd.WaitDelay = os.Stderr, interruptWait
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	err = cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) || ctx.Err() != nil {
		return false, fmt.Errorf("trial wayproof %s: %w", strings.Join(args, " "), errors.Join(err, ctx.Err()))
	}
	return f.judged(cmd.ProcessState.ExitCode(), some)
}

// judged reads a trial's exit code.
func (f *shrinkFlags) judged(code int, some []chaos.Strike) (bool, error) {
	numbers := strings.Join(numbersOf(some), ",")
	switch code {
	case exitHeld:
		f.lines.Note("strikes %s: held", numbers)
		return false, nil
	case exitViolated:
		f.lines.Note("strikes %s: violated", numbers)
		return true, nil
	case exitInconclusive:
		f.lines.Note("strikes %s: inconclusive, which shows nothing", numbers)
		return false, nil
	}
	return false, fmt.Errorf("trial of strikes %s could not be played: exit code %d", numbers, code)
}

func numbersOf(some []chaos.Strike) []string {
	numbers := make([]string, len(some))
	for i, strike := range some {
		numbers[i] = strconv.Itoa(strike.Number)
	}
	return numbers
}

func (f *shrinkFlags) trialArgs(seed uint64, some []chaos.Strike) []string {
	args := []string{"chaos", "--keep", "--seed", strconv.FormatUint(seed, 10), "--duration", f.nemesis.length.String(), "--strikes", strings.Join(numbersOf(some), ",")}
	return append(args, f.passed...)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/scene"
)

// wholeWithin is how soon after a kill -9 of the harness the cluster is whole.
const wholeWithin = time.Minute

// steps are where in a fault's life the harness is killed.
func steps() []chaos.State {
	return []chaos.State{chaos.Pledged, chaos.Injected, chaos.Confirmed, chaos.Undone}
}

// cell is one fault and one step at which the harness dies.
type cell struct {
	Fault chaos.Spec
	Step  chaos.State
}

func (c cell) String() string { return fmt.Sprintf("kill -9 when %q: %s", c.Step, c.Fault) }

// cells draws so many of the matrix by a seed, all of them in their order if
// count is zero.
func cells(count int, seed uint64) []cell {
	var all []cell
	for _, experiment := range catalogue.Grounded() {
		for _, step := range steps() {
			all = append(all, cell{experiment.Fault, step})
		}
	}
	if count <= 0 || count >= len(all) {
		return all
	}
	random := rand.New(rand.NewPCG(seed, 0x6d6174726978))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:count]
}

func chaosMatrixCommand() *cobra.Command {
	flags := &cellFlags{}
	cmd := &cobra.Command{
		Use:   "matrix",
		Short: "Kill -9 the harness at each step of each fault; the cluster is whole within a minute",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, seed, err := flags.chosen()
			if err != nil {
				return err
			}
			environment, err := flags.environment()
			if err != nil {
				return err
			}
			lines := progress.New(os.Stderr)
			lines.Note("seed %d: %d cells", seed, len(chosen))
			for i, one := range chosen {
				lines.Note("%3d  %s", i+1, one)
			}
			err = runMatrix(cmd.Context(), killings{environment: environment, cells: chosen, flags: flags}, lines)
			if left := flags.leave(cmd.Context(), environment, false, lines); err == nil {
				err = left
			}
			return err
		},
	}
	flags.register(cmd)
	flags.registerSystem(cmd)
	cmd.Flags().IntVar(&flags.count, "cells", 3, "how many cells, drawn by the seed; 0 is all")
	cmd.Flags().StringVar(&flags.seed, "seed", env("SEED", ""), "seed of the draw (SEED)")
	cmd.Flags().StringVar(&flags.focus, "focus", "", "all cells whose text this regular expression matches, instead of a draw")
	cmd.Flags().BoolVar(&flags.heal, "heal", false, "undo by hand at once, as wayproof heal does, instead of waiting for the watchdog")
	return cmd
}

// cellFlags say which cells are played.
type cellFlags struct {
	environmentFlags

	count       int
	seed, focus string
	heal        bool
}

// chosen are the cells that the seed draws, or that the focus matches.
func (f *cellFlags) chosen() ([]cell, uint64, error) {
	seed, err := parseSeed(f.seed)
	if err != nil || f.focus == "" {
		return cells(f.count, seed), seed, err
	}
	wanted, err := regexp.Compile(f.focus)
	if err != nil {
		return nil, seed, fmt.Errorf("--focus %q: %w", f.focus, err)
	}
	return matching(cells(0, seed), wanted), seed, nil
}

// killings are cells to play on an environment.
type killings struct {
	environment mesh.Environment
	cells       []cell
	flags       *cellFlags
}

func matching(all []cell, focus *regexp.Regexp) []cell {
	var found []cell
	for _, one := range all {
		if focus.MatchString(one.String()) {
			found = append(found, one)
		}
	}
	return found
}

// runMatrix plays cells one by one, on the demo as the experiments need it, and
// removes what it put there unless that is to be kept.
func runMatrix(ctx context.Context, m killings, lines *progress.Lines) error {
	if err := m.environment.Up(ctx, lines); err != nil {
		return err
	}
	cluster, err := kube.Connect(ctx, m.environment.Kubeconfig(), m.environment.Context())
	if err != nil {
		return err
	}
	ground, err := scene.Prepare(ctx, scene.Ground{
		Cluster: cluster, Owner: kube.Owner{Run: runID(), Adopt: m.flags.adopt}, Agent: agentOf(m.environment), Progress: lines, System: m.flags.mayTouchSystem(),
	})
	if err != nil {
		return errors.Join(err, ground.Part(ctx, m.flags.keep))
	}
	stop := ground.Walk(ctx)
	fates := m.play(ctx, ground)
	stop()
	return fates.verdict(errors.Join(ground.Leave(ctx), ground.Part(ctx, m.flags.keep)))
}

// play plays one cell after the other.
func (m killings) play(ctx context.Context, ground *scene.Ground) (fates matrixFates) {
	lines := ground.Progress
	slowest := time.Duration(0)
	for i, one := range m.cells {
		done := lines.Step(fmt.Sprintf("cell %d of %d: %s", i+1, len(m.cells), one))
		took, err := m.one(ctx, ground, one)
		if aborted := ctx.Err(); aborted != nil {
			err = &unreached{one.Step, aborted}
		}
		done(err)
		fates.add(one, err)
		if unsupported, ok := errors.AsType[*chaos.Unsupported](err); ok {
			lines.Note("UNSUPPORTED  %v: %s", unsupported, one)
		}
		if err == nil {
			slowest = max(slowest, took)
			lines.Note("HELD  whole again %v after the kill: %s", took.Round(time.Second), one)
		}
		if ctx.Err() != nil {
			fates.unbegun = len(m.cells) - i - 1
			break
		}
	}
	lines.Note("%d of %d cells held, the slowest whole again after %v", fates.held, len(m.cells), slowest.Round(time.Second))
	return fates
}

// one has another process of this program play the fault and die, and waits for
// the watchdog, or has it done by hand, to put everything back.
func (m killings) one(ctx context.Context, ground *scene.Ground, one cell) (took time.Duration, err error) {
	station := ground.Post
	if err := ground.Settled(ctx); err != nil {
		return 0, &unreached{one.Step, err}
	}
	before, err := station.Digest(ctx)
	if err != nil {
		return 0, &unreached{one.Step, err}
	}
	if one.Fault, err = ground.Located(ctx, one.Fault); err != nil {
		return 0, &unreached{one.Step, err}
	}
	if err := m.dieIn(ctx, one); err != nil {
		return 0, err
	}
	died := time.Now()
	if m.flags.heal {
		if _, err := station.Heal(ctx); err != nil {
			return 0, fmt.Errorf("heal: %w", err)
		}
	}
	var left []string
	wait := kube.Wait{What: "the cluster to be whole", Within: wholeWithin, Every: time.Second}
	err = kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
		now, err := station.Digest(ctx)
		left = before.Differences(now)
		return err == nil && len(left) == 0, strings.Join(left, "; "), err
	})
	return time.Since(died), err
}

// dieIn runs the cell's process and makes sure that it died by the signal.
func (m killings) dieIn(ctx context.Context, one cell) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	spec, err := json.Marshal(one.Fault)
	if err != nil {
		return err
	}
	args := []string{"chaos", "cell", "--kubeconfig", m.environment.Kubeconfig(), "--context", m.environment.Context(), "--fault", string(spec), "--die", string(one.Step)}
	if m.flags.mayTouchSystem() {
		args = append(args, "--system")
	}
	output, err := exec.CommandContext(ctx, self, args...).CombinedOutput()
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return nil
		}
	}
	if errors.As(err, &exited) && exited.ExitCode() == pledge.ExitUnsupported {
		return &chaos.Unsupported{Reason: strings.TrimSpace(string(output))}
	}
	return &unreached{one.Step, fmt.Errorf("%w: %s", err, strings.TrimSpace(string(output)))}
}

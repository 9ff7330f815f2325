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
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/fault"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/scene"
)

// wholeWithin is how soon after a kill -9 of the harness the cluster is whole.
const wholeWithin = time.Minute

// exitUnsupported is how a cell says that the fault cannot be had here.
const exitUnsupported = 4

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
			return runMatrix(cmd.Context(), killings{environment: environment, cells: chosen, heal: flags.heal}, lines)
		},
	}
	flags.register(cmd)
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
	heal        bool // by hand, not by the watchdog
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

// runMatrix plays cells one by one, on the demo as the experiments need it.
func runMatrix(ctx context.Context, m killings, lines *progress.Lines) error {
	if err := m.environment.Up(ctx, lines); err != nil {
		return err
	}
	cluster, err := kube.Connect(ctx, m.environment.Kubeconfig(), m.environment.Context())
	if err != nil {
		return err
	}
	owner := kube.Owner{Run: runID()}
	ground, err := scene.Prepare(ctx, scene.Ground{Cluster: cluster, Owner: owner, Agent: agentOf(m.environment), Progress: lines})
	if err != nil {
		return err
	}
	stop := ground.Walk(ctx)
	broken := m.play(ctx, ground)
	stop()
	if err := ground.Leave(ctx); err != nil {
		return err
	}
	if len(broken) > 0 {
		return &exitError{code: exitViolated, err: fmt.Errorf("%d of %d cells were not whole within %v:\n%s", len(broken), len(m.cells), wholeWithin, strings.Join(broken, "\n"))}
	}
	return nil
}

// play plays one cell after the other and says which were not whole in time.
func (m killings) play(ctx context.Context, ground *scene.Ground) (broken []string) {
	lines := ground.Progress
	held, slowest := 0, time.Duration(0)
	for i, one := range m.cells {
		done := lines.Step(fmt.Sprintf("cell %d of %d: %s", i+1, len(m.cells), one))
		took, err := m.one(ctx, ground.Post, one)
		done(err)
		if unsupported, ok := errors.AsType[*chaos.Unsupported](err); ok {
			lines.Note("UNSUPPORTED  %v: %s", unsupported, one)
			continue
		}
		if err != nil {
			broken = append(broken, fmt.Sprintf("%s: %v", one, err))
			continue
		}
		held, slowest = held+1, max(slowest, took)
		lines.Note("HELD  whole again %v after the kill: %s", took.Round(time.Second), one)
	}
	lines.Note("%d of %d cells held, the slowest whole again after %v", held, len(m.cells), slowest.Round(time.Second))
	return broken
}

// one has another process of this program play the fault and die, and waits for
// the watchdog, or has it done by hand, to put everything back.
func (m killings) one(ctx context.Context, station *post.Post, one cell) (time.Duration, error) {
	before, err := station.Digest(ctx)
	if err != nil {
		return 0, err
	}
	if err := dieIn(ctx, m.environment, one); err != nil {
		return 0, err
	}
	died := time.Now()
	if m.heal {
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
func dieIn(ctx context.Context, environment mesh.Environment, one cell) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	spec, err := json.Marshal(one.Fault)
	if err != nil {
		return err
	}
	args := []string{"chaos", "cell", "--kubeconfig", environment.Kubeconfig(), "--context", environment.Context(), "--fault", string(spec), "--die", string(one.Step)}
	output, err := exec.CommandContext(ctx, self, args...).CombinedOutput()
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return nil
		}
	}
	if errors.As(err, &exited) && exited.ExitCode() == exitUnsupported {
		return &chaos.Unsupported{Reason: strings.TrimSpace(string(output))}
	}
	return fmt.Errorf("the harness did not reach the step %q: %w: %s", one.Step, err, strings.TrimSpace(string(output)))
}

// chaosCellCommand is the harness that is killed: it plays one fault and sends
// itself SIGKILL when it has reached a step, as no handler can catch it.
func chaosCellCommand() *cobra.Command {
	var kubeconfig, contextName, spec, die string
	cmd := &cobra.Command{
		Use: "cell", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := kube.Connect(cmd.Context(), kubeconfig, contextName)
			if err != nil {
				return err
			}
			var wanted chaos.Spec
			if err := json.Unmarshal([]byte(spec), &wanted); err != nil {
				return fmt.Errorf("read --fault: %w", err)
			}
			err = dieAt(cmd.Context(), cluster, wanted, chaos.State(die))
			if _, ok := errors.AsType[*chaos.Unsupported](err); ok {
				return &exitError{code: exitUnsupported, err: err}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig of the cluster")
	cmd.Flags().StringVar(&contextName, "context", "", "its context")
	cmd.Flags().StringVar(&spec, "fault", "", "the fault as JSON")
	cmd.Flags().StringVar(&die, "die", "", "the state at which to die")
	return cmd
}

func dieAt(ctx context.Context, cluster *kube.Cluster, spec chaos.Spec, step chaos.State) error {
	run := "cell-" + strconv.FormatInt(time.Now().Unix(), 36)
	station := post.New(cluster, kube.Owner{Run: run}, "")
	stop, err := station.Heart(ctx, func(error) {})
	if err != nil {
		return err
	}
	defer stop()
	injection, err := fault.Make(ctx, fault.Site{Cluster: cluster, Post: station}, spec)
	if err != nil {
		return err
	}
	kept := station.Keep(pledge.Pledge{
		ID: run, Fault: spec.Name, Target: injection.Target, Undo: injection.Undo, Deadline: time.Now().Add(time.Hour),
	})
	life := chaos.NewLife(injection, kept, func(m chaos.Moment) {
		if m.State == step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	})
	for _, next := range []func(context.Context) error{life.Inject, life.Confirm, life.Recover, life.ConfirmRecovered} {
		if err := next(ctx); err != nil {
			return errors.Join(err, life.End(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/scheduled"
)

// scheduledFlags are the knobs of a scheduled run that is played by hand.
type scheduledFlags struct {
	environmentFlags

	kustomization, harness string
	within                 time.Duration
}

func scheduledCommand() *cobra.Command {
	flags := &scheduledFlags{}
	cmd := &cobra.Command{
		Use:   "scheduled [-- ARGUMENTS OF RUN]",
		Short: "Play the CronJob under deploy/ once, now, and look at what it leaves",
		Long: `Installs the CronJob that is shipped, with its rights and its volume, on the
cluster that up made (or, with --existing, another), plays it once, replays the
record that it left on the volume, and wants its line in the history there.
Everything is taken away again, unless --keep is given: then the CronJob stays
and plays by the clock. One that was installed so before, and its volume, stays
too, with the images of this call.

What follows -- goes behind the CronJob's own arguments. The exit code is that of
the run in the cluster: 0 held, 1 violated, 2 inconclusive; 3 if it could not be
played, or if what it left is not as it should be.`,
		Example: `  wayproof scheduled -- --labels quick
  wayproof scheduled --keep                        install it for good
  wayproof scheduled --existing --kustomization deploy/base \
    --harness-image REGISTRY/wayproof:TAG --agent-image REGISTRY/agent:TAG`,
		RunE: func(cmd *cobra.Command, args []string) error { return playScheduled(cmd.Context(), flags, args) },
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.kustomization, "kustomization", "", "folder of the CronJob (default: deploy/kind, with --existing deploy/base)")
	cmd.Flags().StringVar(&flags.harness, "harness-image", "", "image of wayproof that the nodes can pull, needed with --existing (push it with: wayproof images push --harness)")
	cmd.Flags().DurationVar(&flags.within, "within", 2*time.Hour, "how long the run may take once its pod has begun")
	return cmd
}

func playScheduled(ctx context.Context, flags *scheduledFlags, args []string) error {
	lines := progress.New(os.Stderr)
	options := scheduled.Options{Args: args, Keep: flags.keep, Within: flags.within, Log: os.Stdout, Progress: lines, Kustomization: flags.folder()}
	var err error
	if options.Cluster, err = flags.prepare(ctx, &options, lines); err != nil {
		return err
	}
	result, err := scheduled.Once(ctx, options)
	if err != nil {
		return err
	}
	lines.Note("the run ended with %d, its replay from the volume with %d; the history there: %s", result.Run, result.Replay, result.History)
	if result.Run != exitHeld {
		return &exitError{code: result.Run, err: fmt.Errorf("the scheduled run ended with %d", result.Run)}
	}
	return nil
}

func (f *scheduledFlags) folder() string {
	switch {
	case f.kustomization != "":
		return f.kustomization
	case f.existing:
		return filepath.Join("deploy", "base")
	}
	return filepath.Join("deploy", "kind")
}

// prepare brings the environment up, with the images on its nodes, and connects.
func (f *scheduledFlags) prepare(ctx context.Context, options *scheduled.Options, lines *progress.Lines) (*kube.Cluster, error) {
	if f.existing {
		if f.harness == "" || f.agentImage == "" {
			return nil, errors.New("--existing needs --harness-image and --agent-image: the cluster must be able to pull them")
		}
		options.Harness, options.Agent = f.harness, f.agentImage
		return kube.Connect(ctx, firstPath(f.kubeconfig), f.context)
	}
	environment, err := f.kindCluster()
	if err != nil {
		return nil, err
	}
	if err := environment.Up(ctx, lines); err != nil {
		return nil, err
	}
	options.Agent = agentOf(environment) // as up loaded it: the harness is a load of its own
	if options.Harness, err = environment.LoadHarness(ctx, lines); err != nil {
		return nil, err
	}
	return kube.Connect(ctx, environment.Kubeconfig(), environment.Context())
}

// Package scheduled plays the CronJob under deploy/ once, now, on a cluster, as
// it is shipped: its images, its rights, its volume. It says how the run ended,
// and whether what lies on the volume afterwards judges the same and has its
// line in the history.
//
// It is no scheduler and judges no mesh: the run in the cluster does.
package scheduled

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
)

// Options say what is played, and where.
type Options struct {
	Cluster *kube.Cluster
	// Kustomization is the folder of the manifests.
	Kustomization string
	// Harness and Agent are the images of the command line and of the agent as
	// the nodes can pull them.
	Harness, Agent string
	// Args go behind the arguments that the CronJob has.
	Args []string
	// Keep leaves the CronJob, its rights and its volume in the cluster.
	Keep bool
	// Within bounds the run.
	Within   time.Duration
	Log      io.Writer // gets what the run says
	Progress mesh.Progress
}

// Result is how it went. Exits are those of the command line: 0 held, 1
// violated, 2 inconclusive, 3 could not run.
type Result struct {
	Run     int    // of the run in the cluster
	Replay  int    // of a replay of its record, from the volume
	History string // what the history on the volume says in its last line
}

// owner is in whose name the objects are applied.
func owner() kube.Owner { return kube.Owner{Run: "scheduled"} }

// Once installs the CronJob, plays it, looks at what it left on its volume, and
// takes everything away again unless asked not to. The error says what kept the
// run from being played or looked at; a mesh that does not keep its promises is
// none.
func Once(ctx context.Context, options Options) (result Result, err error) {
	shipped, err := load(options)
	if err != nil {
		return Result{}, err
	}
	done := options.Progress.Step("install the CronJob of " + options.Kustomization)
	_, err = options.Cluster.Apply(ctx, owner(), shipped.all)
	done(err)
	if err != nil {
		return Result{}, err
	}
	if !options.Keep {
		defer func() { err = errors.Join(err, remove(ctx, options, shipped)) }()
	}
	if result.Run, err = play(ctx, options, shipped.run()); err != nil {
		return result, err
	}
	return result, look(ctx, options, shipped, &result)
}

// removeWait is longer than the grace of the run's pod, which sweeps what it
// made when it is told to end.
const removeWait = 8 * time.Minute

// remove takes the jobs away first: while their pods end they need their rights.
func remove(ctx context.Context, options Options, shipped *shipped) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWait)
	defer cancel()
	done := options.Progress.Step("remove the CronJob and its volume")
	jobs, err := kube.Typed("what was played", shipped.run(), shipped.look())
	err = errors.Join(err, options.Cluster.Delete(ctx, owner(), jobs), options.Cluster.Delete(ctx, owner(), shipped.all))
	done(err)
	if err != nil {
		return fmt.Errorf("remove what was scheduled: %w", err)
	}
	return nil
}

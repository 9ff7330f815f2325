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

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
	// Within bounds the run, once its pod has begun.
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
// takes everything away again unless asked not to, or it was installed for good
// before: then only the two jobs go. The error says what kept the run from being
// played or looked at; a mesh that does not keep its promises is none.
func Once(ctx context.Context, options Options) (result Result, err error) {
	shipped, err := load(options)
	if err != nil {
		return Result{}, err
	}
	kept, err := keptBefore(ctx, options.Cluster, shipped)
	if err != nil {
		return Result{}, err
	}
	if kept && !options.Keep {
		if err := shipped.unsuspend(); err != nil {
			return Result{}, err
		}
	}
	if !options.Keep {
		defer func() { err = errors.Join(err, remove(ctx, options, shipped, kept)) }()
	}
	done := options.Progress.Step("install the CronJob of " + options.Kustomization)
	_, err = options.Cluster.Apply(ctx, owner(), shipped.all)
	done(err)
	if err != nil {
		return Result{}, err
	}
	run, id, err := play(ctx, options, shipped.run())
	if result.Run = run; err != nil {
		return result, err
	}
	return result, look(ctx, options, shipped.look(id), &result)
}

// keptBefore reports a CronJob that an earlier call installed for good. What is
// left of a call that was killed is suspended, and goes.
func keptBefore(ctx context.Context, cluster *kube.Cluster, shipped *shipped) (bool, error) {
	kind := batchv1.SchemeGroupVersion.WithKind("CronJob")
	live, err := cluster.Read(ctx, kind, kube.Ref{Namespace: shipped.cron.Namespace, Name: shipped.cron.Name})
	if err != nil {
		return false, fmt.Errorf("look for an earlier install: %w", err)
	}
	return live != nil && playsByTheClock(live), nil
}

func playsByTheClock(cron *unstructured.Unstructured) bool {
	suspended, _, _ := unstructured.NestedBool(cron.Object, "spec", "suspend")
	return !suspended
}

// removeWait is longer than the grace of the run's pod, which sweeps what it
// made when it is told to end.
const removeWait = 12 * time.Minute

// podWait is how long the pods of a job may take to be gone: their grace, and
// some.
const podWait = 6 * time.Minute

// remove takes the jobs away first, with their pods: while these end they need
// their rights. What was installed for good before stays.
func remove(ctx context.Context, options Options, shipped *shipped, kept bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWait)
	defer cancel()
	what := "remove the CronJob and its volume"
	if kept {
		what = "remove what was played; the CronJob was installed before, and stays"
	}
	done := options.Progress.Step(what)
	err := clearJobs(ctx, options.Cluster, shipped.run(), shipped.look(""))
	if err == nil && !kept {
		err = options.Cluster.Delete(ctx, owner(), shipped.all)
	}
	done(err)
	if err != nil {
		return fmt.Errorf("remove what was scheduled: %w", err)
	}
	return nil
}

// clearJobs removes jobs and waits until their pods have ended: those of a job that
// is gone go on for their grace.
func clearJobs(ctx context.Context, cluster *kube.Cluster, jobs ...*batchv1.Job) error {
	for _, job := range jobs {
		manifests, err := kube.Typed("job "+job.Name, job)
		if err != nil {
			return err
		}
		if err := cluster.Delete(ctx, owner(), manifests); err != nil {
			return err
		}
	}
	for _, job := range jobs {
		wait := kube.Wait{What: "the pods of job " + job.Name + " to be gone", Within: podWait, Every: time.Second}
		err := kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
			pods, err := cluster.PodsWith(ctx, job.Namespace, map[string]string{batchv1.JobNameLabel: job.Name})
			return err == nil && len(pods) == 0, fmt.Sprintf("%d pods", len(pods)), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

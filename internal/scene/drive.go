package scene

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/worker"
)

// drive plays one stage: load, a quiet period, and what pods and sink saw.
func (s *Scene) drive(ctx context.Context, scenario catalogue.Scenario, drive catalogue.Drive) (err error) {
	done := s.progress.Step("load " + drive.Name)
	defer func() { done(err) }()
	if err := s.pay(ctx); err != nil {
		return err
	}
	index, stage := s.open(scenario, drive)
	if err := s.name(ctx, stage, drive.Waypoint); err != nil {
		return err
	}
	stage.Config = s.config(ctx)
	if err := s.watch(ctx, index, drive, s.watching(scenario, drive.Name)); err != nil {
		return err
	}
	if err := s.emptySink(ctx, drive); err != nil {
		return err
	}
	marks, err := s.mark(ctx, index, drive)
	if err != nil {
		return err
	}
	failed := s.under(ctx, index, scenario, drive)
	stage = &s.run.Stages[index]
	stage.Ended = time.Now().UTC()
	if failed != nil {
		stage.Health.Error = failed.Error()
	}
	if err := errors.Join(ctx.Err(), s.name(ctx, stage, drive.Waypoint)); err != nil {
		return err
	}
	if err := s.collect(ctx, index, drive, marks); err != nil {
		return err
	}
	return errors.Join(s.writer.EndStage(index), s.writer.WriteRun(&s.run))
}

// open adds the stage to the record. Ids are unique over all runs, since a
// ledger may still hold an earlier run's.
func (s *Scene) open(scenario catalogue.Scenario, drive catalogue.Drive) (int, *record.Stage) {
	index := len(s.run.Stages)
	load := drive.Load
	load.Targets = shuffled(load.Targets, s.run.Seed, drive.Name)
	load.IDPrefix = fmt.Sprintf("%s-%d", s.run.ID, index)
	s.run.Stages = append(s.run.Stages, record.Stage{
		Name: drive.Name, Spec: scenario.ID, Window: drive.Window, Base: time.Now().UTC(), Load: load,
		Peers: map[string]string{},
	})
	return index, &s.run.Stages[index]
}

// shuffled is the order in which a stage's targets take turns, drawn from the
// run's seed: what holds in one order only shows over the runs.
func shuffled(targets []record.Target, seed uint64, stage string) []record.Target {
	digest := fnv.New64a()
	digest.Write([]byte(stage))
	random := rand.New(rand.NewPCG(seed, digest.Sum64()))
	targets = slices.Clone(targets)
	random.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	return targets
}

// watching are the promises that read the stage.
func (s *Scene) watching(scenario catalogue.Scenario, name string) []record.Promise {
	var reading []record.Promise
	for _, promise := range s.planned(scenario) {
		for _, stage := range promise.Stages {
			if stage == name {
				reading = append(reading, promise)
			}
		}
	}
	return reading
}

// under drives a stage's load. It ends early when every promise that reads the
// stage has seen enough.
func (s *Scene) under(ctx context.Context, index int, scenario catalogue.Scenario, drive catalogue.Drive) error {
	if drive.Scaling != nil {
		return s.scaled(ctx, index, drive)
	}
	promises, watch := s.watching(scenario, drive.Name), claim.Watch
	if scenario.Until != nil {
		promises, watch = hunted(scenario, promises), claim.Hunt
	}
	watcher, err := watch(&s.run.Stages[index], promises)
	if err != nil {
		return err
	}
	return s.attack(ctx, attack{index: index, calm: calm(promises), enough: watcher.Observe})
}

// hunted are those of a stage's promises that have to be violated.
func hunted(scenario catalogue.Scenario, promises []record.Promise) (some []record.Promise) {
	for _, promise := range promises {
		if slices.Contains(scenario.Until, promise.ID) {
			some = append(some, promise)
		}
	}
	return some
}

// calmWithin bounds how long a load about time waits for a calm machine. What is
// brought up or taken away right before keeps two processors busy for seconds.
const calmWithin = 20 * time.Second

func calm(promises []record.Promise) time.Duration {
	if slices.ContainsFunc(promises, claim.Timed) {
		return calmWithin
	}
	return 0
}

// attack is a stage's load, until enough says so.
type attack struct {
	index  int // of the stage
	calm   time.Duration
	enough func(*record.Observation) bool
}

// attack drives the worker in the load pod and keeps what it sees.
func (s *Scene) attack(ctx context.Context, a attack) error {
	stage := &s.run.Stages[a.index]
	pod, err := s.loadPod(ctx)
	if err != nil {
		return err
	}
	keeper := &keeper{scene: s, index: a.index, enough: a.enough}
	driver := worker.Driver{Exec: inPod{s.cluster, pod}, Command: []string{"/agent", "attack"}, Progress: s.meter()}
	outcome, err := driver.Drive(ctx, loadgen.Plan{Load: stage.Load, Calm: a.calm}, keeper.take)
	stage = &s.run.Stages[a.index]
	stage.Health = outcome.Health
	if !outcome.Base.IsZero() {
		stage.Base = outcome.Base
	}
	return errors.Join(err, keeper.failed)
}

// meter shows on the running step's line how far a load is.
func (s *Scene) meter() func(worker.Progress) {
	detailer, ok := s.progress.(mesh.Detailer)
	if !ok {
		return nil
	}
	return func(p worker.Progress) {
		detailer.Detail(fmt.Sprintf("%d of at most %d, %.0f/s, p50 %v, p99 %v, failed %d", p.Done, p.Planned, p.Rate,
			p.P50.Round(100*time.Microsecond), p.P99.Round(100*time.Microsecond), p.Failed))
	}
}

// keeper writes observations down as they come.
type keeper struct {
	scene  *Scene
	index  int
	enough func(*record.Observation) bool
	failed error
}

// take keeps one observation and says whether more are wanted.
func (k *keeper) take(o record.Observation) bool {
	o.Stage = k.index
	if err := errors.Join(k.scene.writer.Observation(&o), k.scene.current.Observation(&o)); err != nil {
		k.failed = fmt.Errorf("record an observation: %w", err)
		return false
	}
	return !k.enough(&o)
}

// inPod runs commands in the load pod.
type inPod struct {
	cluster *kube.Cluster
	pod     kube.Ref
}

func (p inPod) Exec(ctx context.Context, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return p.cluster.Exec(ctx, kube.Command{Pod: p.pod, Argv: command}, kube.Streams{In: stdin, Out: stdout, Err: stderr})
}

// loadPod is the captured pod that load comes from.
func (s *Scene) loadPod(ctx context.Context) (kube.Ref, error) {
	pods, err := s.cluster.PodsBy(ctx, "wayproof-load", "app=load")
	if err != nil {
		return kube.Ref{}, err
	}
	for _, pod := range pods {
		if kube.Ready(&pod) {
			return kube.Ref{Namespace: pod.Namespace, Name: pod.Name}, nil
		}
	}
	return kube.Ref{}, fmt.Errorf("no ready load pod in namespace wayproof-load (of %d)", len(pods))
}

// waypointPods lists the pods of a waypoint, given as namespace/name.
func (s *Scene) waypointPods(ctx context.Context, waypoint string) ([]corev1.Pod, error) {
	namespace, name, _ := strings.Cut(waypoint, "/")
	return s.cluster.PodsBy(ctx, namespace, "gateway.networking.k8s.io/gateway-name="+name)
}

// name writes down which address is which waypoint replica.
func (s *Scene) name(ctx context.Context, stage *record.Stage, waypoint string) error {
	if waypoint == "" {
		return nil
	}
	pods, err := s.waypointPods(ctx, waypoint)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		if pod.Status.PodIP != "" {
			stage.Peers[pod.Status.PodIP] = pod.Name
		}
	}
	return nil
}

package scene

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// show is one experiment under way.
type show struct {
	scene      *Scene
	experiment catalogue.Experiment
	life       *chaos.Life // of the fault at hand, nil before the first
	lives      int         // how many faults there were
	station    *post.Post
	before     post.Digest
	arms       *arms

	mu   sync.Mutex
	seen map[string]string // addresses of waypoint replicas, also of those that came and went
}

// undoWait bounds the end of a fault's life, also of an aborted run.
const undoWait = 5 * time.Minute

// play goes through the windows under load. However it ends, the fault's life is
// brought to its end, the load stops, and the digest is compared.
func (s *show) play(ctx context.Context) (err error) {
	done := s.scene.progress.Step("experiment " + s.experiment.ID)
	defer func() { done(err) }()
	if s.arms, err = s.scene.begin(ctx, s.experiment); err != nil {
		return err
	}
	sampling, stop := context.WithCancel(ctx)
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		s.sample(sampling)
	}()
	if len(s.experiment.Strikes) > 0 {
		err = s.strikes(ctx)
	} else {
		err = s.windows(ctx)
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWait)
	defer cancel()
	if s.life != nil && s.life.State() != chaos.Planned {
		err = errors.Join(err, s.life.End(ending))
	}
	stop()
	<-sampled
	err = errors.Join(err, s.compare(ending))
	s.introduce()
	return errors.Join(err, s.arms.end(ending))
}

// windows are baseline, fault, recovery and after. A fault that was not
// confirmed, or that did not last, has no window, so that nothing can be judged by
// it; one that comes upon a mesh which fails by itself is not injected.
func (s *show) windows(ctx context.Context) error {
	start := time.Now()
	if err := s.arms.hold(ctx, s.experiment.Phases.Baseline); err != nil {
		return err
	}
	s.note(chaos.WindowBaseline, start, "")
	if err := s.calm(ctx); err != nil {
		return err
	}
	injected := time.Now()
	if err := s.life.Inject(ctx); err != nil {
		return err
	}
	if err := s.life.Confirm(ctx); err != nil {
		return err
	}
	if s.experiment.Settled {
		injected = time.Now()
	}
	if err := s.arms.hold(ctx, s.experiment.Fault.Hold); errors.Is(err, errBurnt) {
		s.scene.event("fault ended early", s.experiment.ID, err.Error())
	} else if err != nil {
		return err
	}
	s.lasted(ctx, chaos.WindowFault, injected, s.experiment.Fault)
	if err := s.arrive(ctx); err != nil {
		return err
	}
	return s.afterwards(ctx)
}

// calm is what lies between the baseline and the fault. The steady state of every
// arm is the gate to it.
func (s *show) calm(ctx context.Context) error {
	if err := s.arms.hold(ctx, leadIn); err != nil {
		return err
	}
	return s.arms.steady()
}

// lasted writes down the window of a fault that ends now, if the fault was there
// until now: the watchdog may have undone it.
func (s *show) lasted(ctx context.Context, window string, injected time.Time, spec chaos.Spec) {
	if err := s.life.Last(ctx); err != nil {
		s.scene.event("fault did not last", spec.Name+" of "+spec.Target, err.Error())
		s.scene.progress.Note("%s: %v", spec, err)
		return
	}
	s.note(window, injected, spec.String())
}

// arrive lets come about what waited for the first half of the fault to end, and
// keeps the load on it from when every waypoint has acknowledged it.
func (s *show) arrive(ctx context.Context) error {
	if s.experiment.Phases.Arrival == 0 {
		return nil
	}
	if err := s.life.Return(ctx); err != nil {
		return err
	}
	if err := s.scene.proof(ctx, s.experiment.Waypoints); err != nil {
		return err
	}
	arrived := time.Now()
	if err := s.arms.hold(ctx, s.experiment.Phases.Arrival); err != nil {
		return err
	}
	s.note(chaos.WindowArrival, arrived, "")
	return nil
}

// afterwards undoes the fault and keeps the load on the mesh that is whole again.
func (s *show) afterwards(ctx context.Context) error {
	undone := time.Now()
	if err := s.life.End(ctx); err != nil {
		return err
	}
	after := s.note(chaos.WindowRecovery, undone, "")
	if err := s.arms.hold(ctx, recoveryPause); err != nil {
		return err
	}
	after = after.Add(recoveryPause)
	if err := s.arms.hold(ctx, s.experiment.Phases.After); err != nil {
		return err
	}
	s.note(chaos.WindowAfter, after, "")
	return nil
}

// leadIn lies between baseline and injection: what is under way when the fault
// comes was sent before it, and must not count against the steady state.
const leadIn = 4 * time.Second

// recoveryPause is what traffic has after the proof that all is whole, before
// nothing may fail any more.
const recoveryPause = 5 * time.Second

// note writes a window down that ends now, with the fault that lasted in it, if one
// did, and returns its end.
func (s *show) note(name string, start time.Time, fault string) time.Time {
	now := time.Now()
	s.scene.run.Windows = append(s.scene.run.Windows, record.Window{
		Spec: s.experiment.ID, Name: name, Fault: fault, Start: start.UTC(), End: now.UTC(),
	})
	return now
}

// watchEvery is how often the cluster is read while nothing changes in it.
const watchEvery = 2 * time.Second

// sample reads the waypoint's replicas, budgets and autoscalers until ctx ends: at every
// event, and now and then in between, so that silence is not taken for calm.
func (s *show) sample(ctx context.Context) {
	trouble := func(err error) { s.scene.progress.Note("watch of the cluster: %v", err) }
	var following sync.WaitGroup
	defer following.Wait()
	waypoint := refOf(agencyOf(nil))
	following.Go(func() { follow(ctx, s.replicasOf(waypoint.String()), trouble) })
	following.Go(func() { follow(ctx, s.budgetsOf(waypoint.Namespace), trouble) })
	following.Go(func() { follow(ctx, s.autoscalersOf(waypoint.Namespace), trouble) })
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if pods, err := s.scene.waypointPods(ctx, waypoint.String()); err == nil {
			s.reading(catalogue.SeriesReady, float64(readyOf(pods)), "")
		}
	}
}

// meet keeps the address of a waypoint replica.
func (s *show) meet(pod *corev1.Pod) {
	if pod.Status.PodIP == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[pod.Status.PodIP] = pod.Name
}

// introduce names every replica that was ever there to the stages, which name
// by themselves only those of their beginning and end.
func (s *show) introduce() {
	for _, index := range s.arms.indexes {
		maps.Copy(s.scene.run.Stages[index].Peers, s.seen)
	}
}

// reading keeps a sample with the first arm.
func (s *show) reading(series string, value float64, text string) {
	sample := &record.Sample{Stage: s.arms.indexes[0], At: time.Now().UTC(), Series: series, Value: value, Text: text}
	if err := errors.Join(s.scene.writer.Sample(sample), s.scene.current.Sample(sample)); err != nil {
		s.scene.progress.Note("record a sample: %v", err)
	}
}

// compare reads the digest again and keeps how many things differ. What a
// rollout needs to settle it is given; what differs then, stays different.
func (s *show) compare(ctx context.Context) error {
	var left []string
	wait := kube.Wait{What: "the cluster to be as before", Within: restoreWait, Every: time.Second}
	err := kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
		now, err := s.station.Digest(ctx)
		if err != nil {
			return false, "", err
		}
		left = s.before.Differences(now)
		return len(left) == 0, strings.Join(left, "; "), nil
	})
	var late *kube.Timeout
	if err != nil && (!errors.As(err, &late) || len(left) == 0) {
		return fmt.Errorf("compare with the state before: %w", err)
	}
	s.reading(catalogue.SeriesRestored, float64(len(left)), strings.Join(left, "; "))
	if len(left) > 0 {
		s.scene.event("not restored", s.experiment.ID, strings.Join(left, "; "))
	}
	return nil
}

// restoreWait is how soon after an experiment everything is as it was.
const restoreWait = time.Minute

// How long a spec that is aborted may take to put back what it did: who does not
// wait for it starts the next one, or sweeps, in the middle.
const (
	ScenarioGrace   = leaveWait + 30*time.Second
	ExperimentGrace = undoWait + restoreWait + leaveWait
)

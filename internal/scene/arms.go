package scene

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/worker"
)

// arms are the stages of an experiment, all under load at once.
type arms struct {
	scene   *Scene
	indexes []int

	closing atomic.Bool
	burnt   chan struct{}   // closed when the error budget of all arms is gone
	alarm   <-chan struct{} // the same, until hold has reported it
	mu      sync.Mutex
	burn    chaos.Burn
	told    bool
	failed  int    // requests so far
	first   string // of them, in words
	working sync.WaitGroup
	results []armResult
}

type armResult struct {
	outcome worker.Outcome
	err     error
}

// Burning more than this ends a fault early: nearly everything that ends fails,
// for a time in which no experiment means that. Half of it may fail for long.
const (
	burnShare = 0.9
	burnFor   = 10 * time.Second
	burnLeast = 30 // requests that have to have ended in that time
)

// begin opens a stage for each arm and starts its load.
func (s *Scene) begin(ctx context.Context, e catalogue.Experiment) (*arms, error) {
	pod, err := s.loadPod(ctx)
	if err != nil {
		return nil, err
	}
	a := &arms{scene: s, burnt: make(chan struct{}), results: make([]armResult, len(e.Drives))}
	a.alarm, a.burn = a.burnt, chaos.Burn{For: burnFor, Share: burnShare, Least: burnLeast}
	for _, drive := range e.Drives {
		index, stage := s.open(e.Scenario, drive)
		if err := s.name(ctx, stage, drive.Waypoint); err != nil {
			return nil, err
		}
		stage.Config = s.config(ctx)
		a.indexes = append(a.indexes, index)
	}
	for place, index := range a.indexes {
		load := s.run.Stages[index].Load
		a.working.Go(func() {
			driver := worker.Driver{Exec: inPod{s.cluster, pod}, Command: []string{"/agent", "attack"}}
			result := &a.results[place]
			result.outcome, result.err = driver.Drive(ctx, loadgen.Plan{Load: load}, func(o record.Observation) bool {
				return a.take(index, o)
			})
		})
	}
	return a, nil
}

// take keeps an observation of one of the arms; it is called by all of them.
func (a *arms) take(index int, o record.Observation) bool {
	o.Stage = index
	if err := errors.Join(a.scene.writer.Observation(&o), a.scene.current.Observation(&o)); err != nil {
		a.scene.progress.Note("record an observation: %v", err)
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	failed := o.Class != record.ClassOK || o.Status >= 500 || o.Replays > 0
	if failed {
		a.fail(&o)
	}
	if a.burn.Add(time.Now(), failed) && !a.told {
		a.told = true
		close(a.burnt)
	}
	return !a.closing.Load()
}

// fail counts a request that failed, and remembers the first.
func (a *arms) fail(o *record.Observation) {
	if a.failed++; a.failed == 1 {
		a.first = fmt.Sprintf("request %d of %s: %s, status %d, %d replays", o.Seq, a.scene.run.Stages[o.Stage].Name, o.Class, o.Status, o.Replays)
	}
}

// errUnsteady is a baseline with an error in it.
var errUnsteady = errors.New("the steady state did not hold")

// steady says that no request of any arm has failed so far: an experiment on a mesh
// that fails by itself shows nothing, in no arm.
func (a *arms) steady() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d requests failed before the fault, the first was %s", errUnsteady, a.failed, a.first)
}

// end lets no further request start, waits for those under way, and writes the
// stages' ends.
func (a *arms) end(ctx context.Context) error {
	a.closing.Store(true)
	a.working.Wait()
	var all error
	for place, index := range a.indexes {
		stage, result := &a.scene.run.Stages[index], a.results[place]
		stage.Health, stage.Ended = result.outcome.Health, time.Now().UTC()
		if !result.outcome.Base.IsZero() {
			stage.Base = result.outcome.Base
		}
		if result.err != nil {
			stage.Health.Error = result.err.Error()
		}
		stage.Collected = stage.Ended
		if err := a.scene.name(ctx, stage, agencyOf(stage)); err != nil {
			all = errors.Join(all, err)
		}
		all = errors.Join(all, a.scene.writer.EndStage(index))
	}
	return errors.Join(all, a.scene.writer.WriteRun(&a.scene.run))
}

// agencyOf is the waypoint that the arms go by.
func agencyOf(*record.Stage) string { return "travel-agency/waypoint-travel-agency" }

// hold lets time pass in which the load runs and the fault lasts. It ends early
// when the budget is burnt, which it reports once.
func (a *arms) hold(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	case <-a.alarm:
		a.alarm = nil
		return fmt.Errorf("%w: %.0f %% of the requests of all arms that ended within %v failed", errBurnt, 100*burnShare, burnFor)
	}
}

var errBurnt = errors.New("the error budget is burnt")

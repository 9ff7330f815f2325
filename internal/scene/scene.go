// Package scene plays scenarios on a real mesh and writes down what happened:
// it brings the travel demo to the state that a scenario starts from, applies
// what is under test, waits for the proof that every waypoint serves it, drives
// the load, and collects what clients, pods and the trace sink saw.
//
// It observes and never judges: a verdict is made from the record, by package
// claim. It knows Kubernetes, but no test runner.
package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/ready"
	"github.com/wayproof/wayproof/internal/record"
)

// Options is what a scene needs from its environment.
type Options struct {
	Cluster  *kube.Cluster
	Agent    string // reference of the agent image on the nodes
	Adopt    bool   // may use namespaces that it did not make
	Dir      string // of the run's artefacts
	Run      record.Run
	Known    claim.Deviations // what the mesh is known to do otherwise than promised
	Brief    bool             // keeps no evidence: what will not hold is meant not to
	Progress mesh.Progress
}

// Scene is one run on one mesh.
type Scene struct {
	cluster  *kube.Cluster
	owner    kube.Owner
	gate     *ready.Gate
	agent    string
	known    claim.Deviations
	brief    bool
	progress mesh.Progress
	system   bool // faults may reach the mesh's own namespaces, and nodes

	run     record.Run
	writer  *record.Writer
	base    catalogue.Base
	based   bool
	current *record.Memory   // of the scenario being played
	applied []kube.Manifest  // what the scenario has put there, newest last
	lent    []kube.Manifest  // whose labels the scenario has lent to what was there
	scales  map[string]int32 // waypoints that have more replicas than their Gateway gives them
	owed    owed             // what the proxies have not acknowledged yet
	bare    bool             // nothing beyond base is there, from earlier runs neither
	began   time.Time        // the scenario being played
	evident []string         // files of evidence about it
}

// guests are namespaces of others in which single objects are put: the trace
// sink stands where the mesh's tracing provider looks for it.
func guests() []string { return []string{"istio-system"} }

// Open begins a run: its folder, its plan, and nothing in the cluster yet.
func Open(options Options) (*Scene, error) {
	writer, err := record.Create(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := writer.WritePlan(options.Run.Plan); err != nil {
		return nil, err
	}
	owner := kube.Owner{Run: options.Run.ID, Adopt: options.Adopt, Guest: guests()}
	s := &Scene{
		cluster: options.Cluster, owner: owner, gate: ready.NewGate(options.Cluster, owner),
		agent: options.Agent, known: options.Known, brief: options.Brief, progress: options.Progress, run: options.Run, writer: writer,
	}
	return s, writer.WriteRun(&s.run)
}

// Run is the record so far.
func (s *Scene) Run() *record.Run { return &s.run }

// Dir is the folder of the run's artefacts.
func (s *Scene) Dir() string { return s.writer.Dir() }

// closeWait bounds the removal of what the run made.
const closeWait = 3 * time.Minute

// Sweep removes everything that the run made in the cluster. It works on after
// ctx has ended: an aborted run cleans up too.
func (s *Scene) Sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
	defer cancel()
	done := s.progress.Step("remove what the run made")
	err := s.sweep(ctx)
	done(err)
	if err != nil {
		return fmt.Errorf("remove what run %s made: %w", s.owner.Run, err)
	}
	return nil
}

// Part ends the run's stay in the cluster: what it made is removed, or kept for the
// next run as that one wants to find it.
func (s *Scene) Part(ctx context.Context, keep bool) error {
	if !keep {
		return s.Sweep(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
	defer cancel()
	return s.stretch(ctx, nil)
}

// Finish writes the run's last stage, verdicts and the record, as much of it as
// can be written. What is made from the record follows, and then the exit code.
func (s *Scene) Finish() error {
	s.run.Ended = time.Now().UTC()
	if err := errors.Join(s.writer.WriteVerdicts(s.run.Verdicts), s.writer.WriteRun(&s.run), s.writer.Close()); err != nil {
		return fmt.Errorf("write the record of run %s: %w", s.run.ID, err)
	}
	return nil
}

// Exit writes the code that the run ends with. It is the last thing that is
// written: it also stands for what was made from the record.
func (s *Scene) Exit(code int) error {
	if err := s.writer.WriteExitCode(code); err != nil {
		return fmt.Errorf("write the exit code of run %s: %w", s.run.ID, err)
	}
	return nil
}

// Play performs a scenario and judges its promises from what was recorded. The
// error is what kept it from being played to its end, or from being cleared away;
// promises that it leaves without data are inconclusive then, and are among the
// verdicts all the same.
func (s *Scene) Play(ctx context.Context, scenario catalogue.Scenario) ([]record.Verdict, error) {
	s.enter()
	if !s.offered(scenario) {
		return s.judge(ctx, scenario)
	}
	failed := s.perform(ctx, scenario)
	if failed != nil {
		s.event("scenario ended early", scenario.ID, failed.Error())
	}
	verdicts, err := s.judge(ctx, scenario)
	if err = errors.Join(err, s.leave(ctx, scenario, failed)); err != nil {
		return verdicts, fmt.Errorf("play %s: %w", scenario.ID, err)
	}
	return verdicts, nil
}

// enter begins a scenario: what was seen of the one before is none of its
// business.
func (s *Scene) enter() { s.current, s.began, s.evident = &record.Memory{}, time.Now(), nil }

// judge judges a scenario's promises from what was recorded of it, and keeps
// evidence while what they are about still stands, if one is not held. It works
// on after ctx has ended: an aborted run says of its record what replay will say.
func (s *Scene) judge(ctx context.Context, scenario catalogue.Scenario) ([]record.Verdict, error) {
	s.current.Record = s.run
	verdicts, err := claim.Judge(context.WithoutCancel(ctx), s.current, s.planned(scenario))
	verdicts = s.known.Apply(verdicts, s.run.Environment, s.run.Started)
	if !s.brief && slices.ContainsFunc(verdicts, func(v record.Verdict) bool { return v.Verdict.ExitCode() != 0 }) {
		s.investigate(ctx, scenario)
	}
	attach(verdicts, s.evident)
	s.run.Verdicts = append(s.run.Verdicts, verdicts...)
	return verdicts, errors.Join(err, s.writer.WriteRun(&s.run))
}

// offered is false of a scenario of which the environment lacks what every
// promise requires: the server would refuse what it applies.
func (s *Scene) offered(scenario catalogue.Scenario) bool {
	return slices.ContainsFunc(s.planned(scenario), func(promise record.Promise) bool {
		return !slices.ContainsFunc(s.run.Environment.Lacks, func(lack record.Lack) bool { return slices.Contains(promise.Requires, lack.Ability) })
	})
}

// planned are the scenario's promises as the plan completed them.
func (s *Scene) planned(scenario catalogue.Scenario) []record.Promise {
	var promises []record.Promise
	for _, promise := range scenario.Promises {
		for _, planned := range s.run.Plan.Promises {
			if planned.ID == promise.ID {
				promises = append(promises, planned)
			}
		}
	}
	return promises
}

// perform goes through the scenario's windows. What it applied stays: leave takes
// it away.
func (s *Scene) perform(ctx context.Context, scenario catalogue.Scenario) error {
	if err := s.ensure(ctx, scenario.Base); err != nil {
		return err
	}
	if scenario.Exact {
		if err := s.strip(ctx, scenario.Base); err != nil {
			return err
		}
	}
	if err := s.setUp(ctx, scenario); err != nil {
		return err
	}
	for _, window := range s.windows(scenario) {
		if err := s.window(ctx, scenario, window); err != nil {
			return fmt.Errorf("window %s: %w", window, err)
		}
	}
	return nil
}

// setUp gives a scenario its replicas and what stands for the whole of it.
func (s *Scene) setUp(ctx context.Context, scenario catalogue.Scenario) error {
	if err := s.stretch(ctx, scenario.Replicas); err != nil {
		return err
	}
	return s.apply(ctx, scenario, scenario.Setup)
}

// windows are those of a scenario up to the last in which anything is observed.
func (s *Scene) windows(scenario catalogue.Scenario) []string {
	all := []string{catalogue.Before, catalogue.Applied, catalogue.After}
	for len(all) > 0 && !s.observed(scenario, all[len(all)-1]) {
		all = all[:len(all)-1]
	}
	return all
}

func (s *Scene) observed(scenario catalogue.Scenario, window string) bool {
	return slices.ContainsFunc(scenario.Drives, func(d catalogue.Drive) bool { return s.observes(scenario, d, window) })
}

// observes says whether a drive is of the window and read by a promise of the plan.
func (s *Scene) observes(scenario catalogue.Scenario, drive catalogue.Drive, window string) bool {
	return drive.Window == window && len(s.watching(scenario, drive.Name)) > 0
}

// window brings the mesh into a window's state and drives the window's load.
func (s *Scene) window(ctx context.Context, scenario catalogue.Scenario, window string) error {
	began := time.Now()
	var err error
	switch window {
	case catalogue.Applied:
		err = s.apply(ctx, scenario, scenario.Apply)
	case catalogue.After:
		err = s.withdraw(ctx, scenario, scenario.Apply)
	}
	if err != nil {
		return err
	}
	for _, drive := range scenario.Drives {
		if !s.observes(scenario, drive, window) {
			continue
		}
		if err := s.drive(ctx, scenario, drive); err != nil {
			return fmt.Errorf("drive %s: %w", drive.Name, err)
		}
	}
	s.exhibit(ctx, scenario, window)
	s.run.Windows = append(s.run.Windows, record.Window{
		Spec: scenario.ID, Name: window, Start: began.UTC(), End: time.Now().UTC(),
	})
	return nil
}

func (s *Scene) event(kind, object, detail string) {
	s.run.Events = append(s.run.Events, record.Event{At: time.Now().UTC(), Kind: kind, Object: object, Detail: detail})
}

package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/fault"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
)

// reach is where experiments break things. The node proxy is where it is found; its
// pods come back by themselves, so that a pledge asks for nothing there.
func (s *Scene) reach(ctx context.Context) (post.Reach, error) {
	set, err := ambient.FindZtunnel(ctx, s.cluster)
	if err != nil {
		return post.Reach{}, err
	}
	undo := []string{"travel-agency", "istio-system"}
	read := append([]string{"travel-portal", set.Namespace}, undo...)
	slices.Sort(read)
	return post.Reach{Read: slices.Compact(read), Undo: undo}, nil
}

// Experiment plays an experiment and judges its promises, as Play does with a
// scenario.
func (s *Scene) Experiment(ctx context.Context, e catalogue.Experiment) ([]record.Verdict, error) {
	s.enter()
	failed := s.experiment(ctx, e)
	if unsupported, ok := errors.AsType[*chaos.Unsupported](failed); ok {
		s.lack(catalogue.FaultAbility(e.Fault), unsupported.Reason)
		failed = nil
	}
	if failed != nil {
		s.event("experiment ended early", e.ID, failed.Error())
	}
	verdicts, err := s.judge(ctx, e.Scenario)
	if failed != nil {
		return verdicts, fmt.Errorf("play %s: %w", e.ID, failed)
	}
	return verdicts, err
}

// lack adds to what this environment cannot offer.
func (s *Scene) lack(ability, reason string) {
	known := slices.ContainsFunc(s.run.Environment.Lacks, func(l record.Lack) bool { return l.Ability == ability })
	if !known {
		s.run.Environment.Lacks = append(s.run.Environment.Lacks, record.Lack{Ability: ability, Reason: reason})
	}
}

// experiment prepares what the fault needs, plays the windows, and takes away
// what it put there, whatever happened.
func (s *Scene) experiment(ctx context.Context, e catalogue.Experiment) (err error) {
	if err := s.ensure(ctx, e.Base); err != nil {
		return err
	}
	station, err := s.guard(ctx)
	if err != nil {
		return err
	}
	stop, err := station.Heart(ctx, func(err error) { s.progress.Note("heartbeat: %v", err) })
	if err != nil {
		return err
	}
	defer stop()
	defer func() { err = s.leave(ctx, e.Scenario, err) }()
	if err := s.setUp(ctx, e.Scenario); err != nil {
		return err
	}
	if err := s.pay(ctx); err != nil {
		return err
	}
	return s.provoke(ctx, e, station)
}

// guard puts the watchdog and the hands there.
func (s *Scene) guard(ctx context.Context) (station *post.Post, err error) {
	done := s.progress.Step("watchdog and hands")
	defer func() { done(err) }()
	reach, err := s.reach(ctx)
	if err != nil {
		return nil, err
	}
	station = post.New(s.cluster, s.owner, s.agent)
	return station, station.Install(ctx, reach)
}

// provoke resolves the fault and plays the windows around it.
func (s *Scene) provoke(ctx context.Context, e catalogue.Experiment, station *post.Post) error {
	before, err := station.Digest(ctx)
	if err != nil {
		return err
	}
	show := &show{scene: s, experiment: e, station: station, before: before, seen: map[string]string{}}
	if len(e.Strikes) == 0 {
		if err := show.prepare(ctx, e.Fault, e.Phases.Baseline); err != nil {
			return err
		}
	}
	return show.play(ctx)
}

// prepare resolves a fault's target and begins its life; lead is how long it is
// until it is injected.
func (s *show) prepare(ctx context.Context, spec chaos.Spec, lead time.Duration) error {
	found, err := s.scene.located(ctx, spec)
	if err != nil {
		return err
	}
	site := fault.Site{Cluster: s.scene.cluster, Post: s.station, System: s.scene.system, Note: s.reading}
	injection, err := fault.Make(ctx, site, found)
	if err != nil {
		return err
	}
	watched, err := s.witness(ctx, injection)
	if err != nil {
		return err
	}
	injection.Undo = append(injection.Undo, watched.undo()...)
	s.lives++
	kept := s.station.Keep(pledge.Pledge{
		ID:    fmt.Sprintf("%s-%s-%d-%d", strings.ToLower(s.scene.run.ID), spec.Name, len(s.scene.run.Stages), s.lives),
		Fault: spec.Name, Target: injection.Target, Undo: injection.Undo,
		Deadline: time.Now().Add(lead + spec.Hold + faultOverhead),
	})
	s.life = chaos.NewLife(watched, kept, func(m chaos.Moment) {
		s.scene.event("fault "+string(m.State), spec.Name+" of "+injection.Target, m.Evidence)
	})
	return nil
}

// located is a fault whose target is in the namespace of this cluster: the node
// proxy may be anywhere.
func (s *Scene) located(ctx context.Context, spec chaos.Spec) (chaos.Spec, error) {
	if spec.Target != catalogue.NodeProxy {
		return spec, nil
	}
	set, err := ambient.FindZtunnel(ctx, s.cluster)
	if err == nil {
		spec.Target = set.Namespace + "/" + set.Name
	}
	return spec, err
}

// System lets faults into the mesh's own namespaces, and to nodes, where wayproof
// did not make them.
func (s *Scene) System() { s.system = true }

// faultOverhead is how much longer than it is held a fault may take, to be
// injected, confirmed and undone, before the watchdog ends it.
const faultOverhead = 4 * time.Minute

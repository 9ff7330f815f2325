package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
)

// soakFlags are the knobs of a soak.
type soakFlags struct {
	environmentFlags

	seed, artifacts string
	verdicts        int
	within          time.Duration
}

// soakFile is the name of the result among a run's artefacts.
const soakFile = "soak.json"

func soakCommand() *cobra.Command {
	flags := &soakFlags{}
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Judge a healthy mesh again and again: how often is a sound promise called broken",
		Long: `Plays the statistical promises round after round on a mesh without any defect until
enough verdicts were reached, and says how many of them were false alarms, with
the exact bound that this gives. Verdicts of one stage share its requests, so the
bound counts stages.

Exit codes: 0 no false alarm, 1 there was one, 2 fewer verdicts than wanted, 3
could not run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return soak(cmd.Context(), flags) },
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.seed, "seed", os.Getenv("SEED"), "seed of everything random; default: drawn and printed (SEED)")
	cmd.Flags().StringVar(&flags.artifacts, "artifacts", "artifacts", "folder of the runs' artefacts")
	cmd.Flags().IntVar(&flags.verdicts, "verdicts", 200, "how many verdicts to reach")
	cmd.Flags().DurationVar(&flags.within, "within", 40*time.Minute, "stop after this long, however many there are")
	return cmd
}

// soak is the whole of it.
func soak(ctx context.Context, flags *soakFlags) error {
	seed, err := parseSeed(flags.seed)
	if err != nil {
		return err
	}
	sound, err := proof.Plan(seed)
	if err != nil {
		return err
	}
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	if err := environment.Up(ctx, lines); err != nil {
		return errors.Join(err, flags.leave(ctx, environment, false, lines))
	}
	s := &soaking{flags: flags, sound: sound, lines: lines}
	err = s.on(ctx, environment, seed)
	if left := flags.leave(ctx, environment, false, lines); err == nil {
		err = left
	}
	return err
}

// soaking is a soak under way.
type soaking struct {
	flags  *soakFlags
	sound  proof.Sound
	lines  *progress.Lines
	rounds [][]catalogue.Scenario
	result proof.Soak
}

// mostRounds is how many rounds are planned: the record's plan stands before the
// first of them is played.
const mostRounds = 60

func (s *soaking) on(ctx context.Context, environment mesh.Environment, seed uint64) error {
	cluster, err := kube.Connect(ctx, environment.Kubeconfig(), environment.Context())
	if err != nil {
		return err
	}
	run := record.Run{
		Schema: record.Schema, ID: runID(), Seed: seed, Started: time.Now().UTC(), Plan: record.Plan{Seed: seed, Alpha: catalogue.Budget},
		Command: fmt.Sprintf("wayproof soak --seed %d --verdicts %d", seed, s.flags.verdicts),
	}
	if run.Environment, err = environment.Describe(ctx); err != nil {
		return err
	}
	for round := range mostRounds {
		scenarios, err := proof.Healthy(s.sound, round+1)
		if err != nil {
			return err
		}
		s.rounds = append(s.rounds, scenarios)
		for _, scenario := range scenarios {
			run.Plan.Promises = append(run.Plan.Promises, scenario.Promises...)
		}
	}
	stage, err := scene.Open(scene.Options{
		Cluster: cluster, Agent: agentOf(environment), Adopt: s.flags.adopt, Progress: s.lines, Run: run,
		Dir: filepath.Join(s.flags.artifacts, run.ID),
	})
	if err != nil {
		return err
	}
	played := s.play(ctx, stage)
	return s.conclude(stage, errors.Join(played, stage.Part(ctx, s.flags.keep)))
}

// play plays round after round until there are enough verdicts.
func (s *soaking) play(ctx context.Context, stage *scene.Scene) error {
	until := time.Now().Add(s.flags.within)
	for round, scenarios := range s.rounds {
		for _, scenario := range scenarios {
			if s.result.Verdicts >= s.flags.verdicts || time.Now().After(until) || ctx.Err() != nil {
				return ctx.Err()
			}
			verdicts, err := stage.Play(ctx, scenario)
			s.result.Add(scenario, verdicts) // of what was played before an error, too
			s.result.Rounds = round + 1
			if err != nil {
				return err
			}
			for _, verdict := range verdicts {
				s.lines.Note("%d of %d  %s", s.result.Verdicts, s.flags.verdicts, claim.Line(verdict))
			}
		}
	}
	return nil
}

// conclude writes the record and soak.json.
func (s *soaking) conclude(stage *scene.Scene, played error) error {
	path := filepath.Join(stage.Dir(), soakFile)
	code, told := s.outcome(played)
	finished := stage.Finish()
	run := stage.Run()
	r := &s.result
	r.Schema, r.Run, r.Istio, r.Started, r.Ended = proof.Schema, run.ID, run.Environment.Istio, run.Started, run.Ended
	finished = errors.Join(finished, writeJSON(path, r))
	s.lines.Note("%d of %d verdicts on a sound mesh were violated: a stage has a false alarm with probability at most %.3g (95 %%, %d stages); %s",
		r.Violated, r.Verdicts, r.Bound, r.Stages, path)
	if told != nil {
		told = fmt.Errorf("%w: see %s", told, path)
	}
	return ended(stage, codeOf(code, finished), errors.Join(told, finished))
}

// outcome is the exit code, and what is to be said if it is not that of success:
// a soak that ended before it had enough verdicts shows less than was asked for.
func (s *soaking) outcome(played error) (int, error) {
	switch {
	case s.result.Violated > 0:
		return exitViolated, errors.Join(played, fmt.Errorf("%d false alarms", s.result.Violated))
	case played != nil:
		return exitCouldNotRun, played
	case s.result.Verdicts < s.flags.verdicts:
		return exitInconclusive, fmt.Errorf("%d verdicts after %d rounds, %d were wanted", s.result.Verdicts, s.result.Rounds, s.flags.verdicts)
	}
	return exitHeld, nil
}

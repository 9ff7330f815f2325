package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
)

// conclude judges what was not played, writes everything, and turns the worst
// verdict into the exit code.
func conclude(ctx context.Context, stage *scene.Scene, swept error, flags *runFlags) error {
	run := stage.Run()
	run.Verdicts = append(run.Verdicts, unplayed(run)...)
	worst := record.Held
	for _, verdict := range run.Verdicts {
		worst = record.Worst(worst, verdict.Verdict)
	}
	code := worst.ExitCode()
	if swept != nil && code == exitHeld {
		code = exitCouldNotRun
	}
	if err := stage.Finish(code); err != nil {
		return err
	}
	if err := pointLatest(flags.artifacts, run.ID); err != nil {
		return err
	}
	if err := writeReports(ctx, stage.Dir()); err != nil {
		return err
	}
	afterwards(ctx, stage.Dir(), flags.history)
	makeRoom(flags)
	if swept != nil {
		return &exitError{code: code, err: swept}
	}
	if code != exitHeld {
		return &exitError{code: code, err: fmt.Errorf("%s: see %s", worst, stage.Dir())}
	}
	return nil
}

// unplayed are verdicts for promises that no scenario got to.
func unplayed(run *record.Run) []record.Verdict {
	judged := map[string]bool{}
	for _, verdict := range run.Verdicts {
		judged[verdict.ID] = true
	}
	var verdicts []record.Verdict
	for _, promise := range run.Plan.Promises {
		if !judged[promise.ID] {
			verdicts = append(verdicts, record.Verdict{
				ID: promise.ID, Task: promise.Task, Title: promise.Title, Verdict: record.Inconclusive, Blame: record.Harness,
				Unit: promise.Unit, Alpha: promise.Alpha, Beta: promise.Beta, Delta: promise.Delta,
				Detail: "the run ended before this was played", Reason: "not played",
			})
		}
	}
	return verdicts
}

// pointLatest makes artifacts/latest point at a run.
func pointLatest(artifacts, run string) error {
	link := filepath.Join(artifacts, "latest")
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("move %s: %w", link, err)
	}
	if err := os.Symlink(run, link); err != nil {
		return fmt.Errorf("point %s at the run: %w", link, err)
	}
	return nil
}

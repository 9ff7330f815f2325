package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
)

// conclude judges what was not played, writes everything, and turns the worst
// verdict, and whatever could not be done, into the exit code. What fails does
// not keep the rest from being written; the exit code is written last.
func conclude(ctx context.Context, stage *scene.Scene, swept error, flags *runFlags) error {
	run := stage.Run()
	left, err := unplayed(ctx, run)
	run.Verdicts = append(run.Verdicts, left...)
	failed := errors.Join(swept, err, stage.Finish(), pointLatest(flags.artifacts, run.ID), writeReports(ctx, stage.Dir()))
	afterwards(ctx, stage.Dir(), flags.history)
	makeRoom(flags)
	return ended(stage, codeOf(worst(run.Verdicts).ExitCode(), failed), errors.Join(unheld(run, stage.Dir()), failed))
}

// ended writes the exit code of a run, and is the error that ends the process
// with it: failed is why it is not that of a run that held.
func ended(stage *scene.Scene, code int, failed error) error {
	if err := stage.Exit(code); err != nil {
		code, failed = codeOf(code, err), errors.Join(failed, err)
	}
	if code == exitHeld {
		return nil
	}
	return &exitError{code: code, err: failed}
}

// codeOf is the exit code where something could not be done beside: only a
// violation outweighs that.
func codeOf(code int, failed error) int {
	if failed == nil || code == exitViolated {
		return code
	}
	return exitCouldNotRun
}

// alsoFailed adds what went wrong after a run was concluded. It is not hidden
// behind an inconclusive run.
func alsoFailed(concluded, left error) error {
	if left == nil {
		return concluded
	}
	code := exitHeld
	if coded, ok := errors.AsType[*exitError](concluded); ok {
		code = coded.code
	} else if concluded != nil {
		code = exitCouldNotRun
	}
	return &exitError{code: codeOf(code, left), err: errors.Join(concluded, left)}
}

// unplayed are verdicts for promises that no scenario got to, in the words that
// a replay of the record finds for them.
func unplayed(ctx context.Context, run *record.Run) ([]record.Verdict, error) {
	judged := map[string]bool{}
	for _, verdict := range run.Verdicts {
		judged[verdict.ID] = true
	}
	left := slices.DeleteFunc(slices.Clone(run.Plan.Promises), func(p record.Promise) bool { return judged[p.ID] })
	return claim.Judge(ctx, &record.Memory{Record: *run}, left)
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

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/history"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
	"github.com/wayproof/wayproof/reports"
)

// concluding is a run whose one promise was judged so.
func concluding(t *testing.T, outcome record.Outcome) (*scene.Scene, *runFlags) {
	t.Helper()
	flags := &runFlags{artifacts: t.TempDir()}
	flags.history = filepath.Join(flags.artifacts, "history.ndjson")
	stage, err := scene.Open(scene.Options{Dir: filepath.Join(flags.artifacts, "r1"), Run: record.Run{
		ID: "r1", Started: time.Now(), Plan: record.Plan{Promises: []record.Promise{{ID: "task4/a", Task: "task4"}}},
	}})
	require.NoError(t, err)
	if outcome != "" {
		stage.Run().Verdicts = []record.Verdict{{ID: "task4/a", Task: "task4", Verdict: outcome}}
	}
	return stage, flags
}

// inTheWay keeps a report from being put into its place.
func inTheWay(t *testing.T, dir, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, name, "full"), 0o755))
}

func TestTheExitCodeStandsForEverything(t *testing.T) {
	unswept := errors.New("a namespace is left")
	tests := map[string]struct {
		outcome record.Outcome
		swept   error
		report  string // that cannot be written
		want    int
	}{
		"held":                               {outcome: record.Held, want: exitHeld},
		"aborted, nothing was played":        {want: exitInconclusive},
		"held, not swept":                    {outcome: record.Held, swept: unswept, want: exitCouldNotRun},
		"inconclusive, not swept":            {outcome: record.Inconclusive, swept: unswept, want: exitCouldNotRun},
		"violated, not swept":                {outcome: record.Violated, swept: unswept, want: exitViolated},
		"held, without its page":             {outcome: record.Held, report: reports.PageFile, want: exitCouldNotRun},
		"inconclusive, without its page":     {outcome: record.Inconclusive, report: reports.PageFile, want: exitCouldNotRun},
		"violated, without its JUnit file":   {outcome: record.Violated, report: reports.JUnitFile, want: exitViolated},
		"held, latest cannot point to it":    {outcome: record.Held, report: "../latest", want: exitCouldNotRun},
		"held, its verdicts are not on disk": {outcome: record.Held, report: record.VerdictsFile, want: exitCouldNotRun},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			summary := filepath.Join(t.TempDir(), "step.md")
			t.Setenv("GITHUB_STEP_SUMMARY", summary)
			stage, flags := concluding(t, test.outcome)
			if test.report != "" {
				inTheWay(t, stage.Dir(), test.report)
			}
			err := conclude(t.Context(), stage, test.swept, flags)
			code := exitHeld
			if coded, ok := errors.AsType[*exitError](err); ok {
				code = coded.code
			}
			assert.Equal(t, test.want, code, "%v", err)
			written, readErr := record.ReadExitCode(stage.Dir())
			require.NoError(t, readErr)
			assert.Equal(t, test.want, written, "and that is what stands in the folder")
			assert.FileExists(t, summary)
			assert.FileExists(t, filepath.Join(stage.Dir(), reports.SummaryFile))
			if test.report != record.VerdictsFile { // without a record there is nothing to add
				h, readErr := history.Read(flags.history)
				require.NoError(t, readErr)
				assert.Len(t, h.Entries, 1)
			}
			if test.swept != nil {
				require.ErrorIs(t, err, test.swept)
			}
		})
	}
}

func TestWhatFailsAfterwardsIsNotHidden(t *testing.T) {
	left := errors.New("a container is left")
	for name, test := range map[string]struct {
		concluded error
		want      int
	}{
		"held":          {nil, exitCouldNotRun},
		"inconclusive":  {&exitError{code: exitInconclusive, err: errors.New("x")}, exitCouldNotRun},
		"violated":      {&exitError{code: exitViolated, err: errors.New("x")}, exitViolated},
		"could not run": {errors.New("no cluster"), exitCouldNotRun},
	} {
		t.Run(name, func(t *testing.T) {
			err := alsoFailed(test.concluded, left)
			require.ErrorIs(t, err, left)
			coded, ok := errors.AsType[*exitError](err)
			require.True(t, ok)
			assert.Equal(t, test.want, coded.code)
		})
	}
	assert.NoError(t, alsoFailed(nil, nil))
}

// TestWhatWasNotPlayedReplaysTheSame: a run that was aborted says of the rest of
// its plan what replay finds.
func TestWhatWasNotPlayedReplaysTheSame(t *testing.T) {
	stage, flags := concluding(t, "")
	require.Error(t, conclude(t.Context(), stage, nil, flags))
	_, result, err := judgeAgain(t.Context(), stage.Dir())
	require.NoError(t, err)
	assert.Empty(t, result.Differences)
	assert.Equal(t, record.Inconclusive, result.Worst)
}

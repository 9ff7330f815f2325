package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/wayproof/wayproof/internal/history"
	"github.com/wayproof/wayproof/internal/otlp"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/summary"
)

// afterwards tells others of a run that is over: the CI that it ran in, and its
// history. What goes wrong here is said and does not change the verdict.
func afterwards(ctx context.Context, dir, historyFile string) {
	err := stepSummary(dir, os.Getenv("GITHUB_STEP_SUMMARY"))
	if historyFile != "" {
		if added := addToHistory(ctx, historyFile, dir); !errors.Is(added, history.ErrRecorded) {
			err = errors.Join(err, added)
		}
	}
	if endpoint := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint != "" {
		err = errors.Join(err, sendSpans(ctx, dir, endpoint))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "wayproof: after the run:", err)
	}
}

// later looks, before anything is touched, whether what is to be done after the
// run can be done.
func (f *runFlags) later() error {
	if f.retain < 0 {
		return fmt.Errorf("--retain %d: a number of runs is wanted", f.retain)
	}
	if f.history == "" {
		return nil
	}
	return history.Ready(f.history)
}

// makeRoom removes old runs where --retain asks for it. What cannot be removed is
// said and does not change the verdict.
func makeRoom(flags *runFlags) {
	if flags.retain == 0 {
		return
	}
	removed, err := history.Retain(flags.artifacts, flags.retain)
	for _, name := range removed {
		fmt.Fprintln(os.Stderr, "wayproof: removed old run", name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "wayproof: after the run:", err)
	}
}

// sendSpans sends the phases of a run to a collector.
func sendSpans(ctx context.Context, dir, endpoint string) error {
	reader, err := record.Open(dir)
	if err != nil {
		return fmt.Errorf("export spans: %w", err)
	}
	return otlp.Send(ctx, endpoint, reader.Run())
}

// longestStepSummary is what GitHub takes of one step; more would be refused
// as a whole.
const longestStepSummary = 1 << 20

// stepSummary appends the run in Markdown to the file that GitHub Actions
// shows; elsewhere the path is empty and nothing happens.
func stepSummary(dir, path string) (err error) {
	if path == "" {
		return nil
	}
	reader, err := record.Open(dir)
	if err != nil {
		return fmt.Errorf("write step summary: %w", err)
	}
	var text bytes.Buffer
	if err := summary.Markdown(&text, reader.Run(), dir); err != nil {
		return fmt.Errorf("write step summary: %w", err)
	}
	if text.Len() > longestStepSummary {
		text.Reset()
		fmt.Fprintf(&text, "## wayproof\n\nThe summary of this run is longer than GitHub takes: see summary.md in %s.\n", dir)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("write step summary: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.Write(text.Bytes())
	return err
}

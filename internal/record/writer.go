package record

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Writer writes a run directory while the run goes on. Its methods may be
// called from several goroutines. The first error of the stream (a full disk)
// is returned by every later call that writes to it.
type Writer struct {
	dir   string
	build string

	mu     sync.Mutex
	file   *os.File
	stream *encoder
}

var _ Sink = (*Writer)(nil)

// Create makes the directory if need be and begins its stream of observations.
// A directory that already holds one is refused: a record is never overwritten.
func Create(dir string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create run directory: %w", err)
	}
	path := filepath.Join(dir, ObservationsFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("begin record: %w", err)
	}
	stream, err := newEncoder(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin record %s: %w", path, err), f.Close())
	}
	return &Writer{dir: dir, build: ownBuild(), file: f, stream: stream}, nil
}

// Dir is the run directory.
func (w *Writer) Dir() string { return w.dir }

// Observation appends one request.
func (w *Writer) Observation(o *Observation) error {
	return w.append(kindObservation, o.Stage, o)
}

// Arrival appends one ledger entry.
func (w *Writer) Arrival(a *Arrival) error { return w.append(kindArrival, a.Stage, a) }

// Span appends one span.
func (w *Writer) Span(s *Span) error { return w.append(kindSpan, s.Stage, s) }

// Sample appends one reading of the cluster.
func (w *Writer) Sample(s *Sample) error { return w.append(kindSample, s.Stage, s) }

// EndStage marks a stage as wholly recorded and makes sure that it is on disk,
// so that it can be judged even if the run dies later. Items that come after
// all are counted by the next mark, at the latest by Close.
func (w *Writer) EndStage(stage int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.stream.mark(stage); err != nil {
		return w.failed(err)
	}
	return w.flush()
}

// Flush brings everything appended so far to the disk.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *Writer) flush() error {
	if err := w.stream.flush(); err != nil {
		return w.failed(err)
	}
	if err := w.file.Sync(); err != nil {
		return w.failed(err)
	}
	return nil
}

func (w *Writer) append(kind string, stage int, item any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.stream.item(kind, stage, item); err != nil {
		return w.failed(err)
	}
	return nil
}

func (w *Writer) failed(err error) error {
	return fmt.Errorf("record to %s: %w", w.file.Name(), err)
}

// WritePlan writes the plan, before the first request.
func (w *Writer) WritePlan(p Plan) error {
	return writeJSON(filepath.Join(w.dir, PlanFile), p)
}

// WriteRun replaces the head of the run; called after every stage it is what a
// crash leaves behind. The schema, and the build, are stamped on the way.
func (w *Writer) WriteRun(r *Run) error {
	head := *r
	head.Schema, head.Wayproof = Schema, cmp.Or(r.Wayproof, w.build)
	return writeJSON(filepath.Join(w.dir, RunFile), &head)
}

// WriteVerdicts replaces the list of verdicts.
func (w *Writer) WriteVerdicts(v []Verdict) error {
	if v == nil {
		v = []Verdict{} // a list, also when empty
	}
	return writeJSON(filepath.Join(w.dir, VerdictsFile), v)
}

// WriteExitCode writes the code that the process is about to end with.
func (w *Writer) WriteExitCode(code int) error {
	return writeWhole(filepath.Join(w.dir, ExitCodeFile), []byte(strconv.Itoa(code)+"\n"))
}

// Close ends the stream: it marks what is not yet marked and writes the end
// line by which a reader knows that nothing is missing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.stream.end()
	if err == nil {
		err = w.file.Sync()
	}
	err = errors.Join(err, w.file.Close())
	name := w.file.Name()
	w.file = nil
	if err != nil {
		return fmt.Errorf("end record %s: %w", name, err)
	}
	return nil
}

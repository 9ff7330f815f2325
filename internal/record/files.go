package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The files of a run directory that this package owns.
const (
	PlanFile         = "plan.json"
	RunFile          = "run.json"
	VerdictsFile     = "verdicts.json"
	ObservationsFile = "observations.ndjson.zst"
	ExitCodeFile     = "exit-code"
)

// SchemaError says that a record was written by a later build than this one,
// or by none: it names both versions.
type SchemaError struct {
	File string
	Got  int
}

// Error names the versions.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("%s has schema %d, this build reads 1 to %d", e.File, e.Got, Schema)
}

func checkSchema(file string, got int) error {
	if got < 1 || got > Schema {
		return &SchemaError{File: file, Got: got}
	}
	return nil
}

// Replace fills a file beside its place and then puts it there, in one step: a
// reader sees the old or the new text, never a half.
func Replace(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	if err := filled(f, fill); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// filled writes, makes readable for others (CreateTemp gives 0600) and syncs.
func filled(f *os.File, fill func(io.Writer) error) error {
	buffered := bufio.NewWriter(f)
	if err := fill(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return f.Sync()
}

func writeWhole(path string, text []byte) error {
	return Replace(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	return writeWhole(path, append(text, '\n'))
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	return nil
}

// readRun reads the head of a run. A run that died before its first stage has
// only a plan; its head is made from that.
func readRun(dir string) (*Run, error) {
	path := filepath.Join(dir, RunFile)
	var version struct {
		Schema int `json:"schema"`
	}
	err := readJSON(path, &version)
	if errors.Is(err, fs.ErrNotExist) {
		return runFromPlan(dir, err)
	}
	if err != nil {
		return nil, err
	}
	if err := checkSchema(path, version.Schema); err != nil {
		return nil, err
	}
	run := new(Run)
	return run, readJSON(path, run)
}

func runFromPlan(dir string, missing error) (*Run, error) {
	plan, err := ReadPlan(dir)
	if err != nil {
		return nil, errors.Join(missing, err)
	}
	return &Run{Schema: Schema, Seed: plan.Seed, Plan: plan}, nil
}

// ReadPlan reads the plan of a run directory.
func ReadPlan(dir string) (Plan, error) {
	var plan Plan
	return plan, readJSON(filepath.Join(dir, PlanFile), &plan)
}

// ReadVerdicts reads the verdicts that a run recorded of itself.
func ReadVerdicts(dir string) ([]Verdict, error) {
	var verdicts []Verdict
	return verdicts, readJSON(filepath.Join(dir, VerdictsFile), &verdicts)
}

// ReadExitCode reads the exit code that a run ended with.
func ReadExitCode(dir string) (int, error) {
	path := filepath.Join(dir, ExitCodeFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	code, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	return code, nil
}

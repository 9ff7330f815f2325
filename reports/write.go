package reports

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/conformance"
	"github.com/wayproof/wayproof/reports/html"
	"github.com/wayproof/wayproof/reports/junit"
	"github.com/wayproof/wayproof/reports/prometheus"
	"github.com/wayproof/wayproof/reports/summary"
)

// The files that Write makes in a run directory.
const (
	JUnitFile       = "junit.xml"
	PageFile        = "report.html"
	ConformanceFile = "conformance.yaml"
	MetricsFile     = "metrics.prom"
	SummaryFile     = "summary.md"
)

// Write renders every report of a run into its directory, replacing older ones;
// each file is replaced whole or not at all. The verdicts must stand in the
// source's head. A report that cannot be written does not keep the others from
// being written.
func Write(ctx context.Context, dir string, source record.Source) error {
	run := source.Run()
	return errors.Join(
		write(dir, JUnitFile, func(w io.Writer) error { return junit.Render(w, run, dir) }),
		write(dir, SummaryFile, func(w io.Writer) error { return summary.Markdown(w, run, dir) }),
		write(dir, ConformanceFile, func(w io.Writer) error { return conformance.Render(w, run) }),
		write(dir, MetricsFile, func(w io.Writer) error { return prometheus.Render(w, run) }),
		write(dir, PageFile, func(w io.Writer) error { return html.Render(ctx, w, source, dir) }),
	)
}

// write fills a file beside its place and then puts it there.
func write(dir, name string, render func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
		}
	}()
	if err := fill(f, render); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

// fill renders into a file that others may read (CreateTemp gives 0600).
func fill(f *os.File, render func(io.Writer) error) error {
	buffered := bufio.NewWriter(f)
	if err := render(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return f.Chmod(0o644)
}

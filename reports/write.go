package reports

import (
	"context"
	"errors"
	"io"
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
	write := func(name string, render func(io.Writer) error) error {
		return record.Replace(filepath.Join(dir, name), render)
	}
	return errors.Join(
		write(JUnitFile, func(w io.Writer) error { return junit.Render(w, run, dir) }),
		write(SummaryFile, func(w io.Writer) error { return summary.Markdown(w, run, dir) }),
		write(ConformanceFile, func(w io.Writer) error { return conformance.Render(w, run) }),
		write(MetricsFile, func(w io.Writer) error { return prometheus.Render(w, run) }),
		write(PageFile, func(w io.Writer) error { return html.Render(ctx, w, source, dir) }),
	)
}

package reports_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports"
	"github.com/wayproof/wayproof/reports/internal/sample"
)

// recorded writes a sample run to a directory as a run does, and opens it.
func recorded(t *testing.T) (dir string, source record.Source) {
	t.Helper()
	dir = t.TempDir()
	w, err := record.Create(dir)
	require.NoError(t, err)
	run := sample.New(1724, 1)
	require.NoError(t, run.Walk(t.Context(), w))
	require.NoError(t, w.WriteRun(run.Run()))
	require.NoError(t, w.Close())
	source, err = record.Open(dir)
	require.NoError(t, err)
	return dir, source
}

func TestWriteMakesEveryFile(t *testing.T) {
	dir, source := recorded(t)
	require.NoError(t, reports.Write(t.Context(), dir, source))
	first := map[string]string{}
	for _, name := range []string{reports.JUnitFile, reports.PageFile, reports.ConformanceFile, reports.MetricsFile, reports.SummaryFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotEmpty(t, text, name)
		first[name] = string(text)
	}
	require.NoError(t, reports.Write(t.Context(), dir, source), "a second time over the first")
	for name, want := range first {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(text), "%s differs", name)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

type unreadable struct{ record.Source }

var errDisk = errors.New("disk is gone")

func (unreadable) Walk(context.Context, record.Sink) error { return errDisk }

func TestOneReportThatFailsLeavesTheOthers(t *testing.T) {
	dir := t.TempDir()
	err := reports.Write(t.Context(), dir, unreadable{sample.New(1, 1)})
	require.ErrorIs(t, err, errDisk)
	assert.FileExists(t, filepath.Join(dir, reports.JUnitFile))
	assert.NoFileExists(t, filepath.Join(dir, reports.PageFile))
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

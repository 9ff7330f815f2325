package history

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// recorded makes a folder of a run that began on a day of 2026 or 2027.
func recorded(t *testing.T, folder, name string, began time.Time) {
	t.Helper()
	w, err := record.Create(filepath.Join(folder, name))
	require.NoError(t, err)
	require.NoError(t, w.WritePlan(record.Plan{}))
	require.NoError(t, w.WriteRun(&record.Run{ID: name, Started: began}))
	require.NoError(t, w.Close())
}

func TestRetainKeepsTheNewestRunsAndNothingElseIsTouched(t *testing.T) {
	folder := t.TempDir()
	newYear := time.Date(2026, 12, 30, 3, 17, 0, 0, time.UTC)
	var names []string
	for i := range 5 {
		began := newYear.AddDate(0, 0, i)
		names = append(names, fmt.Sprintf("r%s-031700-%04x", began.Format("0102"), i)) // r0101 is later than r1231
		recorded(t, folder, names[i], began)
	}
	require.NoError(t, os.Symlink(names[4], filepath.Join(folder, "latest")))
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "notes"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "history.ndjson"), []byte("x"), 0o600))

	removed, err := Retain(folder, 2)
	require.NoError(t, err)
	assert.ElementsMatch(t, names[:3], removed)
	var left []string
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	assert.ElementsMatch(t, []string{names[3], names[4], "latest", "notes", "history.ndjson"}, left)
	_, err = record.Open(filepath.Join(folder, "latest"))
	require.NoError(t, err, "what latest points at stays")

	removed, err = Retain(folder, 2)
	require.NoError(t, err)
	assert.Empty(t, removed)
}

func TestRetainRefusesToKeepNothing(t *testing.T) {
	_, err := Retain(t.TempDir(), 0)
	require.Error(t, err)
	_, err = Retain(filepath.Join(t.TempDir(), "none"), 1)
	require.Error(t, err)
}

func TestReadyAddsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "history.ndjson")
	require.NoError(t, Ready(path))
	h, err := Read(path)
	require.NoError(t, err)
	assert.Empty(t, h.Entries)
	require.Error(t, Ready(t.TempDir()), "a folder is no file")
	require.NoError(t, os.WriteFile(path, []byte(`{"schema":99,"run":"r"}`+"\n"), 0o600))
	require.ErrorContains(t, Ready(path), "schema 99")
}

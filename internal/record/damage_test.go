package record

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestACrashLeavesAPrefix reads the directory of a writer that never closed.
func TestACrashLeavesAPrefix(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, w.WriteRun(head(3)))
	fillRun(t, w, 50)
	o := anObservation(2, 0)
	require.NoError(t, w.Observation(&o))
	require.NoError(t, w.Flush())

	r, err := Open(w.Dir())
	require.NoError(t, err)
	got, err := collect(t, r)
	var incomplete *Incomplete
	require.ErrorAs(t, err, &incomplete)
	assert.Len(t, got.observations, 101)
	assert.Equal(t, []int{2}, incomplete.Stages)
	assert.True(t, incomplete.Broken(2) && !incomplete.Broken(0))
	assert.Contains(t, err.Error(), ObservationsFile)
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, w.WriteRun(head(2)))
	fillRun(t, w, 40)
	require.NoError(t, w.Close())
	path := filepath.Join(w.Dir(), ObservationsFile)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := 0; cut < len(whole); cut += 37 {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o644))
		r, err := Open(w.Dir())
		require.NoError(t, err)
		_, err = collect(t, r)
		var incomplete *Incomplete
		require.ErrorAs(t, err, &incomplete, "cut at %d", cut)
	}
}

// rewrite applies a change to the plain text of a stream.
func rewrite(t *testing.T, dir string, change func(lines []string) []string) {
	t.Helper()
	path := filepath.Join(dir, ObservationsFile)
	f, err := os.Open(path)
	require.NoError(t, err)
	zip, err := zstd.NewReader(f)
	require.NoError(t, err)
	text, err := io.ReadAll(zip)
	require.NoError(t, err)
	zip.Close()
	require.NoError(t, f.Close())
	lines := change(strings.SplitAfter(string(text), "\n"))
	out, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, out.EncodeAll([]byte(strings.Join(lines, "")), nil), 0o644))
}

func TestEditedRecordsAreNoticed(t *testing.T) {
	for name, change := range map[string]func([]string) []string{
		"line removed":  func(l []string) []string { return append(l[:5:5], l[6:]...) },
		"line doubled":  func(l []string) []string { return append(append(l[:5:5], l[4]), l[5:]...) },
		"line spoilt":   func(l []string) []string { l[5] = "{\"o\":{\"s\":oops}}\n"; return l },
		"unknown line":  func(l []string) []string { l[5] = "{\"q\":1}\n"; return l },
		"empty line":    func(l []string) []string { l[5] = "\n"; return l },
		"end removed":   func(l []string) []string { return l[:len(l)-2] },
		"after the end": func(l []string) []string { return append(l, l[5]) },
		"other stage":   func(l []string) []string { l[5] = strings.Replace(l[5], `"s":0`, `"s":9`, 1); return l },
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Create(t.TempDir())
			require.NoError(t, err)
			require.NoError(t, w.WriteRun(head(2)))
			fillRun(t, w, 10)
			require.NoError(t, w.Close())
			rewrite(t, w.Dir(), change)
			r, err := Open(w.Dir())
			require.NoError(t, err)
			_, err = collect(t, r)
			var incomplete *Incomplete
			require.ErrorAs(t, err, &incomplete)
			assert.False(t, incomplete.Broken(1), "the other stage is whole: %v", err)
		})
	}
}

func TestFutureSchemasAreRefusedByName(t *testing.T) {
	dir := t.TempDir()
	for schema, refused := range map[int]bool{0: true, 1: false, Schema + 1: true, -3: true} {
		text, err := json.Marshal(Run{Schema: schema})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, RunFile), text, 0o644))
		_, err = Open(dir)
		var mismatch *SchemaError
		assert.Equal(t, refused, errors.As(err, &mismatch), "schema %d", schema)
		if refused {
			assert.Equal(t, schema, mismatch.Got)
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, RunFile), []byte(`{"schema":99,"stages":{}}`), 0o644))
	_, err := Open(dir)
	assert.ErrorContains(t, err, "schema 99, this build reads 1 to 1")
}

func TestStreamOfTheFutureIsRefused(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, w.WriteRun(head(1)))
	require.NoError(t, w.Close())
	rewrite(t, w.Dir(), func([]string) []string { return []string{"{\"schema\":2}\n"} })
	r, err := Open(w.Dir())
	require.NoError(t, err)
	_, err = collect(t, r)
	var mismatch *SchemaError
	require.ErrorAs(t, err, &mismatch)
}

func TestARunThatDiedEarlyHasItsPlan(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, w.WritePlan(Plan{Seed: 5, Promises: []Promise{{ID: "x"}}}))
	require.NoError(t, w.Close())
	r, err := Open(w.Dir())
	require.NoError(t, err)
	assert.Equal(t, "x", r.Run().Plan.Promises[0].ID)
	_, err = Open(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAMissingStreamLeavesEveryStageBroken(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, w.WriteRun(head(2)))
	require.NoError(t, w.Close())
	require.NoError(t, os.Remove(filepath.Join(w.Dir(), ObservationsFile)))
	r, err := Open(w.Dir())
	require.NoError(t, err)
	_, err = collect(t, r)
	var incomplete *Incomplete
	require.ErrorAs(t, err, &incomplete)
	assert.True(t, incomplete.Broken(0) && incomplete.Broken(1))
}

// TestAFullDisk writes to the device that is always full.
func TestAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	stream, err := newEncoder(full)
	if err == nil {
		w := &Writer{dir: t.TempDir(), file: full, stream: stream}
		o := anObservation(0, 0)
		require.NoError(t, w.Observation(&o), "it is only buffered")
		err = w.Flush()
		require.ErrorIs(t, w.Observation(&o), syscall.ENOSPC, "the stream stays in error")
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}

package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// collect copies what a walk delivers.
func collect(t testing.TB, source Source) (*Memory, error) {
	t.Helper()
	into := new(Memory)
	return into, source.Walk(context.Background(), into)
}

func anObservation(stage, seq int) Observation {
	return Observation{
		Stage: stage, Seq: seq, Target: seq % 2, Client: seq % 8, Conn: seq / 50, Reused: seq%50 > 0,
		Intended: time.Duration(seq) * 5 * time.Millisecond, Sent: time.Duration(seq)*5*time.Millisecond + 40*time.Microsecond,
		First: time.Duration(seq)*5*time.Millisecond + 900*time.Microsecond, Done: time.Duration(seq)*5*time.Millisecond + time.Millisecond,
		Status: 200, Class: ClassOK, Service: "cars", Version: "v1", Pod: "cars-v1-5d7", Peer: "10.244.1.9:4411", Server: "istio-envoy", Bytes: 311,
	}
}

// fill puts a little of everything into a run of three stages.
func fillRun(t testing.TB, w *Writer, n int) {
	t.Helper()
	at := time.Date(2026, 11, 23, 12, 0, 0, 1234, time.UTC)
	for stage := range 2 {
		for seq := range n {
			o := anObservation(stage, seq)
			if seq == 3 {
				o.Body, o.Location, o.Header = "{\"city\":\"Zürich <&>\"}\n", "http://a/b?c=d", map[string]string{"x-a": "\"1\""}
			}
			require.NoError(t, w.Observation(&o))
			require.NoError(t, w.Arrival(&Arrival{Stage: stage, Seq: seq, Service: "cars", Version: "v1", Pod: "p", At: at, Attempt: 1, Path: "/cars/Rome"}))
		}
		require.NoError(t, w.Span(&Span{Stage: stage, Seq: 1, TraceID: "t", SpanID: "s", Name: "cars", Start: at, End: at}))
		require.NoError(t, w.Sample(&Sample{Stage: stage, At: at, Series: "hpa/ready", Value: 2.5}))
		require.NoError(t, w.EndStage(stage))
	}
}

func head(stages int) *Run {
	run := &Run{ID: "r", Seed: 7, Plan: Plan{Seed: 7, Alpha: 1e-3}}
	for i := range stages {
		run.Stages = append(run.Stages, Stage{Name: string(rune('a' + i)), Load: Load{Hits: 100}})
	}
	return run
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "artifacts", "run")
	w, err := Create(dir)
	require.NoError(t, err)
	require.NoError(t, w.WritePlan(head(2).Plan))
	require.NoError(t, w.WriteRun(head(2)))
	fillRun(t, w, 100)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "closing twice is harmless")
	require.NoError(t, w.WriteVerdicts(nil))
	require.NoError(t, w.WriteExitCode(2))

	r, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, Schema, r.Run().Schema)
	assert.Equal(t, uint64(7), r.Run().Seed)
	got, err := collect(t, r)
	require.NoError(t, err)
	require.Len(t, got.observations, 200)
	assert.Len(t, got.arrivals, 200)
	assert.Len(t, got.spans, 2)
	assert.Equal(t, 2.5, got.samples[1].Value)
	want := anObservation(1, 3)
	want.Body, want.Location, want.Header = "{\"city\":\"Zürich <&>\"}\n", "http://a/b?c=d", map[string]string{"x-a": "\"1\""}
	assert.Equal(t, want, got.observations[103])
	code, err := ReadExitCode(dir)
	require.NoError(t, err)
	assert.Equal(t, 2, code)
	verdicts, err := os.ReadFile(filepath.Join(dir, VerdictsFile))
	require.NoError(t, err)
	assert.Equal(t, "[]\n", string(verdicts))
	_, err = Create(dir)
	require.ErrorIs(t, err, os.ErrExist, "a record is never overwritten")
}

func TestVerdictsAndHeadAreReplaced(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	defer w.Close()
	require.NoError(t, w.WriteVerdicts([]Verdict{{ID: "a", Verdict: Held}}))
	require.NoError(t, w.WriteVerdicts([]Verdict{{ID: "b", Verdict: Violated}}))
	verdicts, err := ReadVerdicts(w.Dir())
	require.NoError(t, err)
	assert.Equal(t, "b", verdicts[0].ID)
	entries, err := os.ReadDir(w.Dir())
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no temporary file is left")
}

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

func TestWritersAndReadersMayShare(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	var group sync.WaitGroup
	for stage := range 4 {
		group.Go(func() {
			for seq := range 200 {
				o := anObservation(stage, seq)
				assert.NoError(t, w.Observation(&o))
			}
		})
	}
	group.Wait()
	require.NoError(t, w.WriteRun(head(4)))
	require.NoError(t, w.Close())
	r, err := Open(w.Dir())
	require.NoError(t, err)
	for range 2 {
		group.Go(func() {
			got, err := collect(t, r)
			assert.NoError(t, err)
			assert.Len(t, got.observations, 800)
		})
	}
	group.Wait()
}

func TestAWalkCanBeStopped(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, w.WriteRun(head(2)))
	fillRun(t, w, 10)
	require.NoError(t, w.Close())
	r, err := Open(w.Dir())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Walk(ctx, new(Memory)), context.Canceled)
	enough := errors.New("enough")
	stop := Handlers{OnArrival: func(*Arrival) error { return enough }}
	require.ErrorIs(t, r.Walk(t.Context(), stop), enough)
	memory, err := collect(t, r)
	require.NoError(t, err)
	require.ErrorIs(t, memory.Walk(t.Context(), stop), enough)
	require.ErrorIs(t, memory.Walk(ctx, new(Memory)), context.Canceled)
	require.NoError(t, memory.Walk(t.Context(), Handlers{}))
}

func TestLongLines(t *testing.T) {
	w, err := Create(t.TempDir())
	require.NoError(t, err)
	o := anObservation(0, 0)
	o.Body = string(bytes.Repeat([]byte("x"), 1<<20))
	require.NoError(t, w.Observation(&o))
	require.NoError(t, w.WriteRun(head(1)))
	require.NoError(t, w.Close())
	r, err := Open(w.Dir())
	require.NoError(t, err)
	got, err := collect(t, r)
	require.NoError(t, err)
	assert.Equal(t, o, got.observations[0])
}

func TestWorstOutcome(t *testing.T) {
	order := []Outcome{Held, Unsupported, ViolatedKnown, Inconclusive, Violated, "nonsense"}
	for i, a := range order {
		for j, b := range order {
			assert.Equal(t, order[max(i, j)], Worst(a, b))
		}
	}
}

package record

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

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

package history_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/history"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/synthetic"
)

func TestALineOfARun(t *testing.T) {
	run, err := synthetic.New(t.Context(), synthetic.Shape{Seed: 7, Lost: 0})
	require.NoError(t, err)
	entry, err := history.Of(t.Context(), run, run.Record.Verdicts)
	require.NoError(t, err)
	assert.Len(t, entry.Verdicts, 4)
	kinds := map[string]float64{}
	for _, m := range entry.Measures {
		kinds[m.Kind+" of "+m.Of] = m.Value
	}
	assert.InDelta(t, 7.2, kinds["p99 of "+synthetic.SplitStage], 1)
	assert.InDelta(t, 1.5, kinds["recovery of "+synthetic.Recovery], 0.001)
	assert.InDelta(t, 75000, kinds["drops of "+synthetic.KillStage], 1e-6, "300 of 4000")
	again, err := history.Of(t.Context(), run, run.Record.Verdicts)
	require.NoError(t, err)
	assert.Equal(t, entry, again, "a line is stable")
	run.Record.Wayproof = "0123456789ab"
	entry, err = history.Of(t.Context(), run, run.Record.Verdicts)
	require.NoError(t, err)
	assert.Equal(t, "0123456789ab", entry.Versions.Wayproof)
}

func at(day int, id string) history.Entry {
	return history.Entry{
		Schema: history.Schema, Run: id, Started: time.Date(2026, 11, day, 4, 0, 0, 0, time.UTC),
		Versions: history.Versions{Environment: "kind", Istio: "1.31.4"},
	}
}

func TestTheFileOnlyGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "history.ndjson")
	empty, err := history.Read(path)
	require.NoError(t, err)
	assert.Empty(t, empty.Entries)
	require.NoError(t, history.Append(path, at(2, "b")))
	first, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, history.Append(path, at(1, "a")))
	require.ErrorIs(t, history.Append(path, at(3, "a")), history.ErrRecorded)
	require.Error(t, history.Append(path, at(3, "")))
	both, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(first), string(both[:len(first)]))
	h, err := history.Read(path)
	require.NoError(t, err)
	assert.Equal(t, "a", h.Entries[0].Run, "by the start of the run, not by place in the file")
}

// TestRunsThatEndTogetherAreAddedOnce: between looking and writing nobody else
// may write.
func TestRunsThatEndTogetherAreAddedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.ndjson")
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			if err := history.Append(path, at(1, fmt.Sprintf("r%d", i%5))); err != nil {
				assert.ErrorIs(t, err, history.ErrRecorded)
			}
		})
	}
	group.Wait()
	h, err := history.Read(path)
	require.NoError(t, err)
	assert.Len(t, h.Entries, 5)
	assert.Empty(t, h.Damaged, "no line twice")
}

func TestDamagedLinesLeaveTheOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.ndjson")
	require.NoError(t, history.Append(path, at(1, "a")))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	text = append(text, []byte("{}\nnot json\n[1]\n\n")...)
	text = append(text, text[:len(text)/3]...) // the same run again, cut short
	require.NoError(t, os.WriteFile(path, text, 0o600))
	require.NoError(t, history.Append(path, at(2, "b")))
	h, err := history.Read(path)
	require.NoError(t, err)
	assert.Len(t, h.Entries, 2)
	assert.Len(t, h.Damaged, 4)
}

func TestALineFromTheFutureIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.ndjson")
	require.NoError(t, os.WriteFile(path, []byte(`{"schema":9,"run":"x"}`+"\n"), 0o600))
	_, err := history.Read(path)
	var future *history.SchemaError
	require.ErrorAs(t, err, &future)
	assert.Equal(t, 9, future.Got)
	require.ErrorAs(t, history.Append(path, at(1, "a")), &future, "nothing is added to what cannot be read")
}

// level is a history of one measure: thirty runs, with a shift after twenty.
func level(shift float64) history.History {
	random := rand.New(rand.NewPCG(3, 3))
	var h history.History
	for i := range 30 {
		e := at(1, fmt.Sprintf("r%02d", i))
		e.Started = e.Started.Add(time.Duration(i) * time.Hour)
		value := 10 + random.NormFloat64()
		if i >= 20 {
			value += shift
		}
		e.Measures = []history.Measure{{Kind: history.P99, Of: "s", Value: value}}
		h.Entries = append(h.Entries, e)
	}
	return h
}

func TestAShiftIsFoundWhereItIs(t *testing.T) {
	series := level(6).Trends()
	require.Len(t, series, 1)
	require.Len(t, series[0].Changes, 1)
	assert.Equal(t, 20, series[0].Changes[0].At)
	assert.Equal(t, series, level(6).Trends())
	assert.Empty(t, level(0).Trends()[0].Changes)
}

func TestEnvironmentsAreApart(t *testing.T) {
	h := level(0)
	for i := range h.Entries[:10] {
		h.Entries[i].Versions.Environment = "existing"
	}
	assert.Len(t, h.Trends(), 2)
}

func TestFlipsWithoutAChangeAreListed(t *testing.T) {
	var h history.History
	add := func(day int, id, istio string, outcomes map[string]record.Outcome) {
		e := at(day, id)
		e.Versions.Istio = istio
		for _, promise := range []string{"steady", "flaky", "fixed"} {
			if outcome, judged := outcomes[promise]; judged {
				e.Verdicts = append(e.Verdicts, history.Outcome{Promise: promise, Verdict: outcome})
			}
		}
		h.Entries = append(h.Entries, e)
	}
	add(1, "a", "1.31", map[string]record.Outcome{"steady": record.Held, "flaky": record.Held, "fixed": record.Violated})
	add(2, "b", "1.31", map[string]record.Outcome{"steady": record.Held, "flaky": record.Violated, "fixed": record.Violated})
	add(3, "c", "1.32", map[string]record.Outcome{"steady": record.Held, "flaky": record.Held, "fixed": record.Held})
	add(4, "d", "1.31", map[string]record.Outcome{"flaky": record.Inconclusive})
	for i, build := range []string{"one", "two"} { // and neither is one that changed with the claim
		e := at(5+i, build)
		e.Versions.Wayproof = build
		e.Verdicts = []history.Outcome{{Promise: "changed", Verdict: []record.Outcome{record.Violated, record.Held}[i]}}
		h.Entries = append(h.Entries, e)
	}
	flakes := h.Flakes()
	require.Len(t, flakes, 1, "a verdict that changed with the version is no flake")
	assert.Equal(t, "flaky", flakes[0].Promise)
	assert.Equal(t, 4, flakes[0].Runs)
	require.Len(t, flakes[0].Flips, 2)
	assert.Equal(t, "b", flakes[0].Flips[1].From)
	assert.Equal(t, record.Inconclusive, flakes[0].Flips[1].Is)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":1,"run":"a","measures":[{"kind":"p99","of":"s","value":1}]}` + "\n"))
	f.Add([]byte("\x00\n{\"schema\":1e9}"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(dir, "h")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		h, err := history.Read(path)
		if err != nil {
			return
		}
		_ = h.Trends()
		_ = h.Flakes()
		for _, e := range h.Entries {
			assert.NotEmpty(t, e.Run)
		}
	})
}

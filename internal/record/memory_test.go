package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMemoryHasTheTimesThatTheFilesHave: a gap between two samples is the same to
// the nanosecond whether it is judged while the run goes on or years later.
func TestMemoryHasTheTimesThatTheFilesHave(t *testing.T) {
	now := time.Now() // with its monotonic reading
	stages := []Stage{{Base: now, Ended: now.Add(time.Second), Collected: now.Add(2 * time.Second)}}
	m := &Memory{Record: Run{Stages: stages, Windows: []Window{{Start: now, End: now}}}}
	require.NoError(t, m.Sample(&Sample{At: now}))
	require.NoError(t, m.Arrival(&Arrival{At: now}))
	wall := func(got time.Time) { assert.NotContains(t, got.String(), " m=") } // how String shows the other reading
	run := m.Run()
	for _, got := range []time.Time{run.Stages[0].Base, run.Stages[0].Ended, run.Stages[0].Collected, run.Windows[0].Start, run.Windows[0].End} {
		wall(got)
	}
	require.NoError(t, m.Walk(t.Context(), Handlers{
		OnSample:  func(s *Sample) error { wall(s.At); return nil },
		OnArrival: func(a *Arrival) error { wall(a.At); return nil },
	}))
	assert.Contains(t, stages[0].Base.String(), " m=", "what the caller holds is left alone")
	assert.Same(t, run, m.Run())
}

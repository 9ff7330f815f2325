package scene

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/replay"
)

// TestAnAbortedRunJudgesAsReplayDoes ends a run's context before its verdicts:
// what was recorded of it is judged all the same, and a replay agrees.
func TestAnAbortedRunJudgesAsReplayDoes(t *testing.T) {
	none := 0.0
	promise := func(name, kind string, params []byte) record.Promise {
		return record.Promise{ID: "resilience/hang/" + name, Task: "resilience", Title: name, Kind: kind, Stages: []string{"get"}, Beta: 1e-3, Delta: 10, N: 1, Params: params}
	}
	scenario := catalogue.Scenario{ID: "resilience/hang", Promises: []record.Promise{
		promise("restored", claim.KindSeries, claim.Params(claim.SeriesParams{Conditions: []claim.SeriesCondition{{Series: catalogue.SeriesRestored, Last: &claim.Range{AtMost: &none}}}})),
		promise("cost", claim.KindBound, claim.Params(claim.BoundParams{Window: "fault"})),
		promise("get", claim.KindEvery, claim.Params(claim.EveryParams{Want: claim.Conditions{Status: 200}})),
	}}
	dir := filepath.Join(t.TempDir(), "run")
	s, err := Open(Options{Dir: dir, Brief: true, Run: record.Run{ID: "r", Started: time.Now(), Plan: record.Plan{Promises: scenario.Promises}}})
	require.NoError(t, err)
	s.current = &record.Memory{}
	s.run.Stages = []record.Stage{{
		Name: "get", Spec: scenario.ID, Base: time.Now().UTC(), Load: record.Load{Hits: 9, Rate: 1},
		Health: record.Health{Planned: 9, Sent: 1, Completed: 1, Stopped: true},
	}}
	keep := &keeper{scene: s, enough: func(*record.Observation) bool { return false }}
	keep.take(record.Observation{Status: 200, Class: record.ClassOK, Done: time.Millisecond})
	sample := &record.Sample{At: time.Now().UTC(), Series: catalogue.SeriesRestored}
	require.NoError(t, s.writer.Sample(sample))
	require.NoError(t, s.current.Sample(sample))

	aborted, abort := context.WithCancel(t.Context())
	abort()
	verdicts, err := s.judge(aborted, scenario)
	require.NoError(t, err)
	var outcomes []record.Outcome
	for _, v := range verdicts {
		outcomes = append(outcomes, v.Verdict)
	}
	assert.Equal(t, []record.Outcome{record.Held, record.Inconclusive, record.Held}, outcomes)
	require.NoError(t, s.Finish())

	reader, err := record.Open(dir)
	require.NoError(t, err)
	result, err := replay.Run(t.Context(), reader, verdicts)
	require.NoError(t, err)
	assert.Empty(t, result.Differences)
}

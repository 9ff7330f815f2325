package html

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/digest"
)

// TestStagesWithoutAPictureAreCounted: a promise that reads five stages says that
// two of them are not drawn.
func TestStagesWithoutAPictureAreCounted(t *testing.T) {
	for want, names := range map[string][]string{
		"": {"a", "b", "c"}, "1 more stage is in the record and not drawn.": {"a", "b", "c", "d"},
		"2 more stages are in the record and not drawn.": {"a", "b", "c", "d", "e", "not in the record"},
	} {
		m := &record.Memory{}
		for _, name := range names {
			if name != "not in the record" {
				m.Record.Stages = append(m.Record.Stages, record.Stage{Name: name, Load: record.Load{Hits: 1, Rate: 1}})
			}
		}
		m.Record.Plan.Promises = []record.Promise{{ID: "p", Kind: "every", Stages: names}}
		d, err := digest.Read(t.Context(), m)
		require.NoError(t, err)
		assert.Equal(t, want, newPromise(&m.Record, d, record.Verdict{ID: "p"}, "").Undrawn)
	}
}

func TestTheGraphSaysWhatIsNotCounted(t *testing.T) {
	edges := []digest.Edge{
		{From: digest.Load, To: "waypoint", Calls: 300, Failed: 3},
		{From: "waypoint", To: "cars v1", Calls: 200, Failed: 2, Untold: 100, Waypoint: true},
		{From: digest.Unnamed, To: "cars v1", Calls: 50, Untold: 50},
		{From: digest.Load, To: "cars v1", Calls: 100},
	}
	var failed []string
	for _, row := range trafficTable(edges) {
		failed = append(failed, row.Failed)
	}
	assert.Equal(t, []string{"✗ 3 (1 %)", "✗ 2 (1 %), 100 not counted", "not counted", "0"}, failed)
	graph := string(trafficGraph(edges))
	assert.Contains(t, graph, ">75 %<")
	assert.Contains(t, graph, ">25 %<")
	assert.NotContains(t, graph, ">100 %<", "what is all of it says nothing")
}

package digest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// TestCallsBetweenServicesAreNotKnownToHaveFailed: only the load sees answers.
func TestCallsBetweenServicesAreNotKnownToHaveFailed(t *testing.T) {
	m := &record.Memory{Record: record.Run{Stages: []record.Stage{{
		Name: "s", Load: record.Load{Hits: 3, Rate: 1}, Peers: map[string]string{"10.0.0.1": "waypoint a"},
	}}}}
	arrived := func(service, peer string) {
		require.NoError(t, m.Arrival(&record.Arrival{Service: service, Peer: peer}))
	}
	require.NoError(t, m.Observation(&record.Observation{Class: record.ClassOK, Status: 503, Service: "travels", Peer: "10.0.0.1:1"}))
	arrived("travels", "10.0.0.1:1")
	arrived("travels", "10.0.0.1:1") // of another caller
	arrived("cars", "10.0.0.1:1")
	arrived("cars", "10.9.9.9:1")
	d, err := Read(t.Context(), m)
	require.NoError(t, err)
	assert.ElementsMatch(t, []Edge{
		{From: Load, To: "waypoint a", Calls: 1, Failed: 1},
		{From: "waypoint a", To: "travels", Calls: 2, Failed: 1, Untold: 1, Waypoint: true},
		{From: "waypoint a", To: "cars", Calls: 1, Untold: 1, Waypoint: true},
		{From: Unnamed, To: "cars", Calls: 1, Untold: 1},
	}, d.Traffic)
}

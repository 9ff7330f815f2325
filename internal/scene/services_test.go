package scene

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dumped is in the form of ztunnel's config_dump.
const dumped = `{
"workloads": [{"uid": "a", "status": "Healthy"}, {"uid": "b", "status": "Unhealthy"}],
"services": [
 {"name": "cars", "namespace": "travel-agency", "vips": ["/10.96.0.1"],
  "waypoint": {"destination": "travel-agency/waypoint-travel-agency.travel-agency.svc.cluster.local"},
  "endpoints": {"a": {"workloadUid": "a"}, "b": {"workloadUid": "b"}, "gone": {"workloadUid": "c"}}},
 {"name": "plain", "namespace": "travel-agency", "vips": ["net/10.96.0.2", "net/fd00::2"], "endpoints": {}},
 {"name": "far", "namespace": "travel-portal", "vips": [],
  "waypoint": {"destination": "travel-agency/waypoint-travel-agency.travel-agency.svc.cluster.local"}},
 {"name": "odd", "namespace": "travel-portal", "vips": ["/10.96.0.4"], "waypoint": {"destination": "net/10.96.0.9"}}
]}`

func TestRowsOfTheServiceTable(t *testing.T) {
	var d dump
	require.NoError(t, json.Unmarshal([]byte(dumped), &d))
	for i, want := range []string{
		"waypoint-travel-agency 1/3",
		"None 0/0",
		"travel-agency/waypoint-travel-agency.travel-agency.svc.cluster.local 0/0 at [], the Service is at 10.96.0.3",
		"net/10.96.0.9 0/0",
	} {
		address := []string{"10.96.0.1", "fd00::2", "10.96.0.3", "10.96.0.4"}[i]
		assert.Equal(t, want, d.row(d.Services[i], address))
	}
	assert.Contains(t, d.row(d.Services[0], "10.96.0.77"), "at [/10.96.0.1], the Service is at 10.96.0.77")
}

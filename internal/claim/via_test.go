package claim

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

func TestViaTellsTheWaypointFromOthers(t *testing.T) {
	stage := &record.Stage{Peers: map[string]string{"10.0.0.1": "waypoint-a"}}
	for _, c := range []struct{ via, peer, odd string }{
		{ViaWaypoint, "10.0.0.1:4711", ""},
		{ViaWaypoint, "10.0.0.9:4711", "came by no replica of the waypoint"},
		{ViaWaypoint, "", "answered without naming its peer"},
		{ViaOther, "10.0.0.9:4711", ""},
		{ViaOther, "10.0.0.1:4711", "came by the waypoint"},
		{ViaOther, "", "answered without naming its peer"},
		{"", "", ""},
	} {
		got := newChecker(Conditions{Via: c.via}).oddPeer(stage, &record.Observation{Peer: c.peer})
		assert.Equal(t, c.odd, got, "%s %s", c.via, c.peer)
	}
}

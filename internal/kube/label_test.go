package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWaypointOf(t *testing.T) {
	const service = "{apiVersion: v1, kind: Service, metadata: {name: cars}, status: "
	for status, want := range map[string]string{
		"{}": "none",
		"{conditions: [{type: Other, status: 'True', message: a/b}]}":                                                                          "none",
		"{conditions: [{type: istio.io/WaypointBound, status: 'True', message: Successfully attached to waypoint travel/way}]}":                "travel/way",
		"{conditions: [{type: istio.io/WaypointBound, status: 'True', message: 'attached to \"travel/way\".'}]}":                               "travel/way",
		"{conditions: [{type: istio.io/WaypointBound, status: 'True', message: attached}]}":                                                    "attached",
		"{conditions: [{type: istio.io/WaypointBound, status: 'False', reason: AttachmentDenied, message: not allowed by waypoint travel/w}]}": "istio.io/WaypointBound=False (AttachmentDenied): not allowed by waypoint travel/w",
	} {
		assert.Equal(t, want, WaypointOf(object(t, service+status+"}")), status)
	}
}

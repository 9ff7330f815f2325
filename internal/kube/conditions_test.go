package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const parentOf = "spec: {parentRefs: [{name: cars}]}, status: {parents: [{controllerName: istio.io/gateway-controller, parentRef: {name: cars}, conditions: "

func TestRouteReady(t *testing.T) {
	route := "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r, generation: 2}, "
	const good = "{type: Accepted, status: 'True', observedGeneration: 2}, {type: ResolvedRefs, status: 'True', observedGeneration: 2}"
	for name, tc := range map[string]struct {
		rest  string
		ready bool
		state string
	}{
		"taken":              {parentOf + "[" + good + "]}]}}", true, "Accepted=True"},
		"waypoints resolved": {parentOf + "[" + good + ", {type: ResolvedWaypoints, status: 'True', observedGeneration: 2}]}]}}", true, "ResolvedWaypoints=True"},
		"waypoints not": {
			parentOf + "[" + good + ", {type: ResolvedWaypoints, status: 'False', reason: Waiting, message: no waypoint, observedGeneration: 2}]}]}}",
			false, "ResolvedWaypoints=False (Waiting): no waypoint",
		},
		"of an older generation": {
			parentOf + "[{type: Accepted, status: 'True', observedGeneration: 1}, {type: ResolvedRefs, status: 'True', observedGeneration: 2}]}]}}",
			false, "of generation 1, now 2",
		},
		"one condition missing": {parentOf + "[{type: Accepted, status: 'True', observedGeneration: 2}]}]}}", false, "ResolvedRefs not reported yet"},
		"nobody looked at it":   {"spec: {parentRefs: [{name: cars}]}}", false, "0 of 1 parents"},
		"another controller": {
			"spec: {parentRefs: [{name: cars}]}, status: {parents: [{controllerName: example.com/x, conditions: [" + good + "]}]}}",
			false, "0 of 1 parents",
		},
		"one of two parents": {"spec: {parentRefs: [{name: cars}, {name: vans}]}, " + parentOf[len("spec: {parentRefs: [{name: cars}]}, "):] + "[" + good + "]}]}}", false, "1 of 2 parents"},
	} {
		ready, state := routeReady(object(t, route+tc.rest))
		assert.Equal(t, tc.ready, ready, name)
		assert.Contains(t, state, tc.state, name)
	}
}

func TestBoundTo(t *testing.T) {
	service := "{apiVersion: v1, kind: Service, metadata: {name: s}, status: {conditions: ["
	bound := service + "{type: istio.io/WaypointBound, status: 'True', reason: WaypointAccepted, message: 'Successfully attached to waypoint travel-agency/waypoint-travel-agency'}]}}"
	ok, _ := boundTo(object(t, bound), "travel-agency/waypoint-travel-agency")
	assert.True(t, ok)
	ok, _ = boundTo(object(t, bound), "")
	assert.True(t, ok)
	ok, state := boundTo(object(t, bound), "travel-agency/another")
	assert.False(t, ok)
	assert.Contains(t, state, "waypoint-travel-agency")
	ok, state = boundTo(object(t, service+"]}}"), "")
	assert.False(t, ok)
	assert.Contains(t, state, "not reported")
	ok, state = boundTo(object(t, service+"{type: istio.io/WaypointBound, status: 'False', reason: AttachmentDenied, message: no}]}}"), "")
	assert.False(t, ok)
	assert.Contains(t, state, "AttachmentDenied")
}

func TestRolledOut(t *testing.T) {
	deployment := "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, generation: 3}, spec: {replicas: 2}, status: "
	set := "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d, generation: 1}, status: "
	for name, tc := range map[string]struct {
		text string
		done bool
	}{
		"done":              {deployment + "{observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2}}", true},
		"old generation":    {deployment + "{observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2}}", false},
		"old pod still on":  {deployment + "{observedGeneration: 3, replicas: 3, updatedReplicas: 2, availableReplicas: 3}}", false},
		"not available":     {deployment + "{observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 1}}", false},
		"set done":          {set + "{observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3}}", true},
		"set on no node":    {set + "{observedGeneration: 1, desiredNumberScheduled: 0}}", false},
		"set partly":        {set + "{observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2}}", false},
		"scaled to nothing": {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 0}, status: {}}", true},
	} {
		done, state := rolledOut(object(t, tc.text))
		assert.Equal(t, tc.done, done, "%s: %s", name, state)
	}
}

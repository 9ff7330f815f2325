package kube

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// meshController is who writes the route conditions that matter here.
const meshController = "istio.io/gateway-controller"

// condition is one status condition, whatever the kind it was read from.
type condition struct {
	Type     string
	Status   string
	Reason   string
	Message  string
	Observed int64 // -1 where the kind does not tell
}

func (c condition) String() string {
	text := c.Type + "=" + c.Status
	if c.Reason != "" {
		text += " (" + c.Reason + ")"
	}
	if c.Status != "True" && c.Message != "" {
		text += ": " + c.Message
	}
	return text
}

// conditionsOf reads the list at path, skipping what is no condition.
func conditionsOf(content map[string]any, path ...string) []condition {
	list, _, _ := unstructured.NestedSlice(content, path...)
	conditions := make([]condition, 0, len(list))
	for _, entry := range list {
		fields, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		conditions = append(conditions, conditionFrom(fields))
	}
	return conditions
}

func conditionFrom(fields map[string]any) condition {
	text := func(key string) string { value, _ := fields[key].(string); return value }
	observed, ok := fields["observedGeneration"].(int64)
	if !ok {
		observed = -1
	}
	return condition{
		Type: text("type"), Status: text("status"),
		Reason: text("reason"), Message: text("message"), Observed: observed,
	}
}

// holds tells whether the wanted types are all True at the generation, and
// describes what there is.
func holds(conditions []condition, generation int64, wanted ...string) (bool, string) {
	all := true
	var states []string
	for _, want := range wanted {
		ok, state := holdsOne(conditions, generation, want)
		all = all && ok
		states = append(states, state)
	}
	return all, strings.Join(states, ", ")
}

func holdsOne(conditions []condition, generation int64, want string) (bool, string) {
	for _, c := range conditions {
		if c.Type != want {
			continue
		}
		if c.Observed >= 0 && c.Observed < generation {
			return false, fmt.Sprintf("%s of generation %d, now %d", c, c.Observed, generation)
		}
		return c.Status == "True", c.String()
	}
	return false, want + " not reported yet"
}

// routeReady judges a route's status: every parent of the spec must have been
// taken by the mesh at the current generation. ResolvedWaypoints counts where
// the Istio at hand reports it.
func routeReady(route *unstructured.Unstructured) (bool, string) {
	parents, _, _ := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	statuses, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	taken, ready := 0, true
	var states []string
	for _, entry := range statuses {
		status, _ := entry.(map[string]any)
		if status["controllerName"] != meshController {
			continue
		}
		taken++
		ok, state := parentReady(status, route.GetGeneration())
		ready = ready && ok
		states = append(states, state)
	}
	if taken < len(parents) || taken == 0 {
		return false, fmt.Sprintf("%d of %d parents reported by %s", taken, len(parents), meshController)
	}
	return ready, strings.Join(states, "; ")
}

func parentReady(status map[string]any, generation int64) (bool, string) {
	conditions := conditionsOf(status, "conditions")
	wanted := []string{"Accepted", "ResolvedRefs"}
	for _, c := range conditions {
		if c.Type == "ResolvedWaypoints" {
			wanted = append(wanted, c.Type)
		}
	}
	ok, state := holds(conditions, generation, wanted...)
	name, _, _ := unstructured.NestedString(status, "parentRef", "name")
	return ok, name + ": " + state
}

// boundTo judges a Service's enrolment. An empty waypoint accepts any.
func boundTo(service *unstructured.Unstructured, waypoint string) (bool, string) {
	for _, c := range conditionsOf(service.Object, "status", "conditions") {
		if c.Type != waypointBound {
			continue
		}
		state := c.String() + " " + c.Message
		return c.Status == "True" && strings.Contains(c.Message, waypoint), state
	}
	return false, waypointBound + " not reported"
}

// waypointBound is what istiod writes on a Service that a waypoint serves.
const waypointBound = "istio.io/WaypointBound"

// rolledOut judges a Deployment or DaemonSet by its own status, at the
// observed generation, with every replica updated and available.
func rolledOut(workload *unstructured.Unstructured) (bool, string) {
	number := func(path ...string) int64 {
		value, _, _ := unstructured.NestedInt64(workload.Object, path...)
		return value
	}
	observed := number("status", "observedGeneration")
	if observed < workload.GetGeneration() {
		return false, fmt.Sprintf("generation %d not observed yet (%d)", workload.GetGeneration(), observed)
	}
	want, updated, available, total := number("spec", "replicas"), number("status", "updatedReplicas"),
		number("status", "availableReplicas"), number("status", "replicas")
	if workload.GetKind() == "DaemonSet" {
		want, total = number("status", "desiredNumberScheduled"), number("status", "currentNumberScheduled")
		updated, available = number("status", "updatedNumberScheduled"), number("status", "numberAvailable")
	}
	state := fmt.Sprintf("%d wanted, %d updated, %d available, %d in all", want, updated, available, total)
	empty := workload.GetKind() == "DaemonSet" && want == 0
	return !empty && updated == want && available >= want && total == want, state
}

// Holds tells whether the named conditions of an object's status are True at
// its generation, and describes them.
func Holds(object *unstructured.Unstructured, wanted ...string) (bool, string) {
	return holds(conditionsOf(object.Object, "status", "conditions"), object.GetGeneration(), wanted...)
}

// RolledOut tells whether a Deployment or DaemonSet has all its pods, of its
// current generation and available, and describes them.
func RolledOut(workload *unstructured.Unstructured) (bool, string) { return rolledOut(workload) }

package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Endured says of the resilience promises, by the last part of their ids, which
// mutants of the record kill the same claim with the same sort of condition, or
// why none does. Experiments break the mesh themselves: no mutant of the mesh is
// played beside them.
func Endured() map[string][]string {
	const (
		always, never, last, reaches, late = "maximum-6", "beyond-5", "scaled-back", "target-ignored", "scaled-late"
		refused, cut                       = "refused", "cut"
	)
	back := []string{"back-late", "limps", "never-back"}
	return map[string][]string{
		"baseline": {refused, cut}, "cost": {refused, cut}, "unharmed": {refused, cut}, "whole": {refused, cut},
		"after": {"never-back", "relapse"}, "detect": back, "recovery": back,
		"split": {"share-55", "share-85"}, "way": {"past-the-waypoint"}, "serving": {"idle-replica"},
		"felt": {"too-soon"}, "prompt": {"tail"}, "latency": {"slow-meanwhile"},
		"passed-on": {"errors-of-another", "not-felt"}, "arrival": {"not-felt"},
		"able": {always}, "blocked": {always}, "drained": {always}, "edge": {always}, "patient": {always}, "private": {always},
		"ready": {always}, "straight": {always}, "calm": {never}, "restored": {last}, "settled": {last},
		"bounds": {always, never}, "minimum": {always, last}, "budget": {always, never, last, reaches},
		"rotations": {reaches}, "scaled": {reaches, late},
	}
}

// Unendured are those that no mutant of the record kills, and why.
func Unendured() map[string]string {
	return map[string]string{
		"drain": "sound recordings have no requests that are under way when a fault begins; what is cut too early is refuted in the tests of internal/claim",
	}
}

func renderEndured(out *strings.Builder) {
	out.WriteString("\n## Promises under faults\n\nExperiments break the mesh themselves. What shows that their promises can fail are the mutants of the record that kill\nthe same claim with the same sort of condition; promises are named by the last part of their ids.\n\n| promise | killed by |\n| --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(Endured())) {
		fmt.Fprintf(out, "| %s | `%s` |\n", name, strings.Join(Endured()[name], "` `"))
	}
	for _, name := range slices.Sorted(maps.Keys(Unendured())) {
		fmt.Fprintf(out, "| %s | *none: %s* |\n", name, Unendured()[name])
	}
}

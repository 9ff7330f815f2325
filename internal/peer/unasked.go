package peer

import (
	"slices"
	"strings"
)

// Unasked are mutants of ours that upstream cannot be asked about, and why: by
// name, or all of a task.
type Unasked struct {
	Reason         string
	Mutants, Tasks []string
}

// NotAsked has a reason for every mutant of package proof that is none here.
func NotAsked() []Unasked {
	return []Unasked{
		{Reason: "upstream looks while a route is in force, never before it is applied or after it is deleted", Mutants: []string{
			"split-stays", "redirect-stays", "rewrite-stays", "rewrite-original-stays", "header-stays", "header-regex-stays",
			"header-several-stays", "header-absent-stays", "path-exact-stays", "path-prefix-stays", "path-boundary-stays",
			"path-longest-stays", "enrolment-always", "waypoint-always", "waypoint-used-unasked", "waypoint-used-always",
		}},
		{Reason: "upstream judges totals; that a choice is drawn anew for each request, by each replica, is no test", Mutants: []string{
			"split-turns", "split-sticky", "replicas-60-40", "replicas-turns", "replica-stale", "split-90-10-turns",
		}},
		{Reason: "upstream's only split over HTTP is 70 to 30", Mutants: []string{
			"split-85-15", "split-98-2", "split-arms-swapped", "split-zero-leaks", "split-all-zero-leaks",
		}},
		{Reason: "no test of the profile has such a route", Mutants: []string{
			"header-regex-part", "header-either", "header-absent-ignored", "path-exact-loses", "rewrite-others-dropped", "rewrite-original-corrected",
		}},
		{Reason: "upstream looks at no waypoint and has one namespace: the rows of the others stand for these", Mutants: []string{
			"waypoint-is-a-gateway", "enrolment-portal-missing",
		}},
		{Reason: "no mesh test is about mirrors", Tasks: []string{"task7"}},
		{Reason: "no mesh test is about traces, faults, timeouts, retries, connections, autoscalers or disruption budgets", Tasks: []string{
			"task3", "faults", "timeouts", "retries", "l4", "task8", "task9",
		}},
	}
}

// WhyNot is the reason for a mutant of ours, by its name and scenario.
func WhyNot(name, scenario string) (string, bool) {
	task, _, _ := strings.Cut(scenario, "/")
	for _, unasked := range NotAsked() {
		if slices.Contains(unasked.Mutants, name) || slices.Contains(unasked.Tasks, task) {
			return unasked.Reason, true
		}
	}
	return "", false
}

package catalogue

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Selection picks scenarios: those whose id, task or title the focus matches,
// and that carry one of the labels. Empty picks all.
type Selection struct {
	Focus  string   // a regular expression
	Labels []string // any of them
	IDs    []string // exactly these promises' scenarios, as for a rerun
}

// Select lists the scenarios that a selection picks, in their order. Picking
// none is an error that says what there is.
func Select(all []Scenario, selection Selection) ([]Scenario, error) {
	focus, err := regexp.Compile(selection.Focus)
	if err != nil {
		return nil, fmt.Errorf("focus %q: %w", selection.Focus, err)
	}
	for _, label := range selection.Labels {
		if !slices.Contains(labelsOf(all), label) {
			return nil, fmt.Errorf("no scenario has label %q; there are %s", label, strings.Join(labelsOf(all), ", "))
		}
	}
	var picked []Scenario
	for _, scenario := range all {
		if inFocus(focus, scenario) && carries(scenario, selection.Labels) && named(scenario, selection.IDs) {
			picked = append(picked, scenario)
		}
	}
	if len(picked) == 0 {
		return nil, fmt.Errorf("nothing matches focus %q and labels %v; there are %s", selection.Focus, selection.Labels, strings.Join(idsOf(all), ", "))
	}
	return picked, nil
}

// inFocus matches a scenario's id by itself too, so that "…$" can end it.
func inFocus(focus *regexp.Regexp, scenario Scenario) bool {
	return focus.MatchString(scenario.ID) || focus.MatchString(scenario.ID+" "+scenario.Title)
}

func carries(scenario Scenario, labels []string) bool {
	return len(labels) == 0 || slices.ContainsFunc(labels, func(label string) bool {
		return slices.Contains(scenario.Labels, label) || scenario.Task == label
	})
}

func named(scenario Scenario, promises []string) bool {
	return len(promises) == 0 || slices.ContainsFunc(scenario.Promises, func(p record.Promise) bool { return slices.Contains(promises, p.ID) })
}

func labelsOf(all []Scenario) []string {
	var labels []string
	for _, scenario := range all {
		labels = append(append(labels, scenario.Task), scenario.Labels...)
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

func idsOf(all []Scenario) []string {
	ids := make([]string, len(all))
	for i, scenario := range all {
		ids[i] = scenario.ID
	}
	return ids
}

// Budget is the false-alarm budget of a run: how likely a sound mesh may be
// called broken by any of its promises.
const Budget = 1e-3

// Plan numbers and sizes the promises of scenarios.
func Plan(scenarios []Scenario, seed uint64) (record.Plan, error) {
	var promises []record.Promise
	for _, scenario := range scenarios {
		promises = append(promises, scenario.Promises...)
	}
	planned, err := claim.Plan(promises, Budget)
	if err != nil {
		return record.Plan{}, err
	}
	if err := enough(scenarios, planned); err != nil {
		return record.Plan{}, err
	}
	return record.Plan{Seed: seed, Alpha: Budget, Promises: planned}, nil
}

// Unselected lists the promises of scenarios that a plan leaves out, in their
// order.
func Unselected(all []Scenario, plan record.Plan) []record.Unselected {
	planned := map[string]bool{}
	for _, promise := range plan.Promises {
		planned[promise.ID] = true
	}
	var left []record.Unselected
	for _, scenario := range all {
		for _, promise := range scenario.Promises {
			if !planned[promise.ID] {
				left = append(left, record.Unselected{ID: promise.ID, Task: promise.Task})
			}
		}
	}
	return left
}

// enough checks that each stage's load is long enough for every promise that
// reads it: a plan that could only end inconclusive is a mistake of ours.
func enough(scenarios []Scenario, planned []record.Promise) error {
	hits := map[string]int{}
	for _, scenario := range scenarios {
		for _, drive := range scenario.Drives {
			hits[drive.Name] = drive.Load.Hits
		}
	}
	for _, promise := range planned {
		if promise.Kind == claim.KindSeries || promise.Kind == claim.KindRows || promise.Kind == claim.KindTable {
			continue
		}
		for _, stage := range promise.Stages {
			if got, ok := hits[stage]; !ok || got < promise.N {
				return fmt.Errorf("promise %s needs %d requests of stage %s, which has %d", promise.ID, promise.N, stage, got)
			}
		}
	}
	return nil
}

package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/wayproof/wayproof/internal/record"
)

// Recorded reads the verdicts that a run recorded of itself. They and the plan
// stand in two files each; where these contradict each other that is a
// difference too. A run that ended before it wrote its list of verdicts is read
// from its head.
func Recorded(dir string, run *record.Run) ([]record.Verdict, []Difference, error) {
	plan, err := record.ReadPlan(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read what was planned: %w", err)
	}
	between, err := plansDiffer(plan, run.Plan)
	if err != nil {
		return nil, nil, err
	}
	verdicts, err := record.ReadVerdicts(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return run.Verdicts, between, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read what was recorded: %w", err)
	}
	return verdicts, append(between, contradictions(run.Verdicts, verdicts)...), nil
}

// wholePlan stands for a promise in a difference that is about no single one.
const wholePlan = "plan"

// plansDiffer compares the plan as it was written before the first request with
// that of the head, promise by promise.
func plansDiffer(plan, head record.Plan) ([]Difference, error) {
	var between Result
	was, err := spelled(plan)
	if err != nil {
		return nil, err
	}
	is, err := spelled(head)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		if was[id] != is[id] {
			between.differ(id, "plan in "+record.PlanFile+" and "+record.RunFile, was[id], is[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(is)) {
		if _, found := was[id]; !found {
			between.differ(id, "plan in "+record.PlanFile+" and "+record.RunFile, "", is[id])
		}
	}
	return between.Differences, nil
}

// spelled is a plan as text: each promise by its id, and the rest.
func spelled(plan record.Plan) (map[string]string, error) {
	texts := map[string]string{}
	for _, promise := range plan.Promises {
		text, err := json.Marshal(promise)
		if err != nil {
			return nil, fmt.Errorf("compare plans, promise %s: %w", promise.ID, err)
		}
		texts[promise.ID] += string(text) // those of the same id are told apart by their order
	}
	plan.Promises = nil
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, fmt.Errorf("compare plans: %w", err)
	}
	texts[wholePlan] = string(text)
	return texts, nil
}

// contradictions compares the two files that hold verdicts.
func contradictions(head, list []record.Verdict) []Difference {
	byID := map[string]record.Verdict{}
	for _, v := range list {
		byID[v.ID] = v
	}
	var between Result
	for _, v := range head {
		if other, found := byID[v.ID]; found {
			between.hold(v, other)
		} else {
			between.differ(v.ID, "presence", "in "+record.RunFile, "not in "+record.VerdictsFile)
		}
	}
	for i := range between.Differences {
		between.Differences[i].Field += " in " + record.RunFile + " and " + record.VerdictsFile
	}
	return between.Differences
}

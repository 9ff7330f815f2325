package catalogue

import (
	"fmt"
	"slices"

	"github.com/wayproof/wayproof/internal/record"
)

// Only reduces scenarios to single promises: those that none of them is of are
// left out. What is applied stays, since the promises are about it; load that no
// promise of a plan reads is not driven. An id that no scenario has is an error.
func Only(all []Scenario, ids []string) ([]Scenario, error) {
	var picked []Scenario
	for _, scenario := range all {
		if named(scenario, ids) {
			others := func(p record.Promise) bool { return !slices.Contains(ids, p.ID) }
			scenario.Promises = slices.DeleteFunc(slices.Clone(scenario.Promises), others)
			picked = append(picked, scenario)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(picked, func(s Scenario) bool { return named(s, []string{id}) }) {
			return nil, fmt.Errorf("no promise has the id %q: wayproof plan lists them", id)
		}
	}
	return picked, nil
}

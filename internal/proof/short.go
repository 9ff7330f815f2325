package proof

import (
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/proof/fate"
)

// Marks in a page between which the short table stands.
const (
	shortBegins = "<!-- kill matrix, by wayproof prove matrix -->\n"
	shortEnds   = "<!-- end of kill matrix -->\n"
)

// Short is the matrix in a table of one line for each task.
func (m *Matrix) Short() string {
	var out strings.Builder
	out.WriteString("| task | promises | mutants of the mesh | killed | inconclusive | not playable on the built cluster |\n| --- | --- | --- | --- | --- | --- |\n")
	mutants := map[string][]Mutant{}
	for _, mutant := range Mutants() {
		task, _, _ := strings.Cut(mutant.Scenario, "/")
		mutants[task] = append(mutants[task], mutant)
	}
	last := ""
	for _, scenario := range catalogue.Traffic() {
		if scenario.Task == last {
			continue
		}
		last = scenario.Task
		counts := m.fates(mutants[last])
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %d | %d |\n",
			last, promisesOf(last), len(mutants[last]), counts[fate.Killed], counts[fate.Inconclusive], counts[fate.Unplayable])
	}
	killed, trials := 0, 0
	for _, tally := range m.Records {
		killed, trials = killed+tally.Killed, trials+tally.Trials
	}
	fmt.Fprintf(&out, "\n%d mutants of the record besides, killed in %d of %d recordings.\n", len(m.Records), killed, trials)
	return out.String()
}

func (m *Matrix) fates(mutants []Mutant) map[fate.Fate]int {
	counts := map[fate.Fate]int{}
	for _, mutant := range mutants {
		if result, played := m.Result(mutant.Name); played {
			counts[result.Fate]++
		}
	}
	return counts
}

func promisesOf(task string) int {
	count := 0
	for _, scenario := range catalogue.Of(task) {
		count += len(scenario.Promises)
	}
	return count
}

// Insert puts the short table into a page, between its marks.
func (m *Matrix) Insert(page string) (string, error) {
	before, rest, begins := strings.Cut(page, shortBegins)
	_, after, ends := strings.Cut(rest, shortEnds)
	if !begins || !ends {
		return "", fmt.Errorf("the page has no place for the kill matrix: %q and %q", shortBegins, shortEnds)
	}
	return before + shortBegins + m.Short() + shortEnds + after, nil
}

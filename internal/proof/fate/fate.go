// Package fate says what became of a mutant: whether the judgements that had to
// notice a defect did, and no other one did. It decides on names and outcomes
// alone, so that defects of a record and defects of a mesh are held to the same
// rule. It plays nothing and judges no record.
package fate

import (
	"slices"

	"github.com/wayproof/wayproof/internal/record"
)

// Fate is what became of a mutant.
type Fate string

// The fates. Only Killed is good; Unplayable is told with its reason and counts
// neither way.
const (
	Killed       Fate = "killed"              // by everything that had to, by nothing else
	Survived     Fate = "survived"            // nothing noticed
	Elsewhere    Fate = "killed by another"   // something noticed, but not all that had to
	Beyond       Fate = "killed and more"     // a judgement fell that has nothing to do with the defect
	Inconclusive Fate = "inconclusive"        // what had to notice could not tell
	Unplayable   Fate = "not playable"        // this environment cannot show the defect
	Failed       Fate = "could not be played" // the defect was not made, or nothing was observed
)

// Expectation is what a mutant declares beforehand.
type Expectation struct {
	// Kills are the names of the judgements that must be violated.
	Kills []string
	// Also may be violated besides: what the defect brings along.
	Also []string
}

// Judgement is the outcome that a name got.
type Judgement struct {
	Name    string
	Outcome record.Outcome
}

// Of compares what was declared with what was judged. A name of Kills that was
// not judged at all counts as not violated.
func (e Expectation) Of(judged []Judgement) Fate {
	violated, open := e.tally(judged)
	strays := slices.ContainsFunc(violated, func(name string) bool {
		return !slices.Contains(e.Kills, name) && !slices.Contains(e.Also, name)
	})
	missed := slices.ContainsFunc(e.Kills, func(name string) bool { return !slices.Contains(violated, name) })
	switch {
	case !missed && strays:
		return Beyond
	case !missed:
		return Killed
	case strays: // whatever is open: something fell that had not to
		return Elsewhere
	case open:
		return Inconclusive
	case len(violated) > 0:
		return Elsewhere
	default:
		return Survived
	}
}

// tally lists what was violated, and says whether a judgement that had to be
// violated was left open.
func (e Expectation) tally(judged []Judgement) (violated []string, open bool) {
	for _, j := range judged {
		switch {
		case j.Outcome == record.Violated:
			violated = append(violated, j.Name)
		case j.Outcome == record.Inconclusive && slices.Contains(e.Kills, j.Name):
			open = true
		}
	}
	return violated, open
}

package peer

import "slices"

// Verdict is what became of a mutant in upstream's hands.
type Verdict string

// The verdicts.
const (
	Killed Verdict = "killed" // a test that the sound mesh passes saw something else than it expects
	Passes Verdict = "passes" // every test that was asked passed
	Mute   Verdict = "mute"   // the sound mesh fails the tests too: they say nothing
	Failed Verdict = "failed" // a test could not be asked
)

// Outcome is what one of upstream's tests said.
type Outcome struct {
	Test    string  `json:"test"`
	Passed  bool    `json:"passed"`
	Reason  string  `json:"reason,omitempty"` // what it saw instead of what it expects
	Seconds float64 `json:"seconds"`
}

// Judge compares what the tests said of a mutant with what they said of the
// sound mesh. A test that failed without having seen an answer that it did not
// expect was kept from asking: that kills nothing.
func Judge(mutant Mutant, sound, seen []Outcome) Verdict {
	passed, mute := 0, 0
	for _, name := range mutant.Tests {
		outcome, asked := Of(seen, name)
		before, _ := Of(sound, name)
		switch {
		case !before.Passed:
			mute++
		case !asked || !outcome.Passed && outcome.Reason == "":
			return Failed
		case outcome.Passed:
			passed++
		}
	}
	switch len(mutant.Tests) {
	case mute:
		return Mute
	case mute + passed:
		return Passes
	}
	return Killed
}

// Of finds the outcome of a test.
func Of(outcomes []Outcome, test string) (Outcome, bool) {
	place := slices.IndexFunc(outcomes, func(o Outcome) bool { return o.Test == test })
	if place < 0 {
		return Outcome{}, false
	}
	return outcomes[place], true
}

// Result is what became of one mutant.
type Result struct {
	Mutant  string    `json:"mutant"`
	Title   string    `json:"title"`
	Verdict Verdict   `json:"verdict"`
	Reason  string    `json:"reason,omitempty"` // why a test could not be asked
	Tests   []Outcome `json:"tests,omitempty"`
	Seconds float64   `json:"seconds"` // that the tests took
}

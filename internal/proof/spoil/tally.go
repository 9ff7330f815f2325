package spoil

import (
	"context"
	"slices"

	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

// Tally is what became of a mutant over many recordings.
type Tally struct {
	Mutant string `json:"mutant"`
	Title  string `json:"title"`
	Trials int    `json:"trials"` // recordings in which the defect was made
	Killed int    `json:"killed"` // of which it was killed by what it names
	// Marks say by kind of claim what the mutant is to it: Must, May, or Mute
	// where it must be inconclusive; kinds that judged and held are Held.
	Marks map[string]string `json:"marks"`
	// Other is the first trial that ended otherwise, in words.
	Other string `json:"other,omitempty"`
}

// Marks of a kind of claim.
const (
	Must = "violated"
	May  = "may be violated"
	Mute = "inconclusive"
	Held = "held"
)

// Tallies tries mutants on recordings of so many seeds each, from 1.
func Tallies(ctx context.Context, mutants []Mutant, seeds int) ([]Tally, error) {
	tallies := make([]Tally, len(mutants))
	for i, mutant := range mutants {
		tallies[i] = Tally{Mutant: mutant.Name, Title: mutant.Title, Marks: map[string]string{}}
	}
	for _, recording := range Recordings() {
		for seed := 1; seed <= seeds; seed++ {
			sound, err := Sound(recording, uint64(seed))
			if err != nil {
				return nil, err
			}
			for i, mutant := range mutants {
				if slices.Contains(mutant.Recordings, recording) && ctx.Err() == nil {
					tallies[i].add(mutant, mutant.TryOn(ctx, sound))
				}
			}
		}
	}
	return tallies, ctx.Err()
}

func (t *Tally) add(m Mutant, trial Trial) {
	t.Trials++
	if trial.Fate == fate.Killed {
		t.Killed++
	} else if t.Other == "" {
		t.Other = trial.Tell()
	}
	for i, kind := range trial.Kinds {
		switch {
		case slices.Contains(m.Kills, kind):
			t.Marks[kind] = Must
		case slices.Contains(m.Silences, kind):
			t.Marks[kind] = Mute
		case trial.Verdicts[i].Verdict == record.Violated && slices.Contains(m.Also, kind):
			t.Marks[kind] = May
		case t.Marks[kind] == "" && trial.Verdicts[i].Verdict == record.Held:
			t.Marks[kind] = Held
		}
	}
}

package spoil

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

// Mutant is one defect of a recorded run.
type Mutant struct {
	Name  string
	Title string // what is wrong, in words
	// Recordings are those in which the defect is made, one after the other.
	Recordings []string
	// Kills are the kinds of claim that must say violated, Also those that may
	// besides, because the defect brings it along.
	Kills, Also []string
	// Silences are the kinds that must be inconclusive and blame the harness: the
	// defect is one of the generator or of the record, and nothing may be said of
	// the mesh. Kills is empty then.
	Silences []string

	spoil func(*Recording, *rand.Rand)
}

// Mutants lists all defects: first those of a mesh, then those of the harness.
func Mutants() []Mutant {
	return slices.Concat(picks(), answers(), arrivals(), copies(), times(), places(), spans(), readings(), failures(), ordeals(), broken())
}

// Trial is a mutant tried on one recording.
type Trial struct {
	Fate     fate.Fate
	Verdicts []record.Verdict
	// Kinds are the kinds of the verdicts, in their order.
	Kinds []string
}

// Try makes the mutant's defect in a recording drawn by the seed, and judges it.
func (m Mutant) Try(ctx context.Context, recording string, seed uint64) (Trial, error) {
	sound, err := Sound(recording, seed)
	if err != nil {
		return Trial{}, err
	}
	return m.TryOn(ctx, sound), nil
}

// TryOn makes the defect in a copy of a sound recording, and judges that.
func (m Mutant) TryOn(ctx context.Context, sound *Recording) Trial {
	spoilt := sound.clone()
	m.spoil(spoilt, rand.New(rand.NewPCG(sound.Head.Seed, 0x73706f696c)))
	trial := Trial{Verdicts: spoilt.Judge(ctx)}
	for _, promise := range sound.Head.Plan.Promises {
		trial.Kinds = append(trial.Kinds, promise.Kind)
	}
	trial.Fate = m.fate(trial)
	return trial
}

func (m Mutant) fate(trial Trial) fate.Fate {
	if len(m.Silences) > 0 {
		return m.silenced(trial)
	}
	expect := fate.Expectation{Kills: m.Kills, Also: m.Also}
	var judged []fate.Judgement
	for i, verdict := range trial.Verdicts {
		judged = append(judged, fate.Judgement{Name: trial.Kinds[i], Outcome: verdict.Verdict})
	}
	return expect.Of(judged)
}

// silenced is the fate of a defect of the harness.
func (m Mutant) silenced(trial Trial) fate.Fate {
	for i, verdict := range trial.Verdicts {
		silent := verdict.Verdict == record.Inconclusive && verdict.Blame == record.Harness && verdict.Reason != ""
		switch {
		case slices.Contains(m.Silences, trial.Kinds[i]) && !silent:
			return fate.Survived
		case verdict.Verdict == record.Violated:
			return fate.Beyond
		}
	}
	return fate.Killed
}

// Tell says in a line what the verdicts were.
func (t Trial) Tell() string {
	var parts []string
	for i, verdict := range t.Verdicts {
		parts = append(parts, fmt.Sprintf("%s %s (%s)", t.Kinds[i], verdict.Verdict, verdict.Detail))
	}
	return string(t.Fate) + ": " + strings.Join(parts, "; ")
}

// Requests are the recordings that hold requests: all but the cluster's samples.
func Requests() []string {
	return []string{split, mirror, mirrorHalf, shift, connections, redirect, tracing, outage, ordeal}
}

// Recordings are all of them.
func Recordings() []string { return append(Requests(), cluster) }

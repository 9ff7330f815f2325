package proof

import (
	"slices"

	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/proof/spoil"
	"github.com/wayproof/wayproof/internal/record"
)

// Matrix is the kill matrix: what became of every mutant, of the mesh and of
// records, as it is committed and rendered.
type Matrix struct {
	Schema  int      `json:"schema"`
	Results []Result `json:"results"`
	// Sound is what each promise said of the mesh without a mutant, by id, in the
	// runs of SoundRuns.
	Sound     map[string]record.Outcome `json:"sound"`
	SoundRuns []string                  `json:"soundRuns"`
	Records   []spoil.Tally             `json:"records"`
	Seeds     int                       `json:"seeds"` // recordings of each kind
	Soak      *Soak                     `json:"soak,omitempty"`
}

// Merge takes over the results of a run: those of mutants that were played
// before are replaced, those of mutants that are no more are dropped, and all
// stand in the order of Mutants. Where a mutant could not be played, or nothing
// could be said, nothing was found out, and what is known of it stays.
func (m *Matrix) Merge(results []Result) {
	of := func(keep func(fate.Fate) bool) []Result {
		return slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return !keep(r.Fate) })
	}
	told := of(func(f fate.Fate) bool { return f != fate.Failed && f != fate.Inconclusive })
	open := of(func(f fate.Fate) bool { return f == fate.Inconclusive })
	all := slices.Concat(told, m.Results, open)
	m.Schema, m.Results = Schema, nil
	for _, mutant := range Mutants() {
		place := slices.IndexFunc(all, func(r Result) bool { return r.Mutant == mutant.Name })
		if place >= 0 {
			m.Results = append(m.Results, all[place])
		}
	}
}

// Result finds what became of a mutant.
func (m *Matrix) Result(name string) (Result, bool) {
	place := slices.IndexFunc(m.Results, func(r Result) bool { return r.Mutant == name })
	if place < 0 {
		return Result{}, false
	}
	return m.Results[place], true
}

// killers are the mutants that were killed by a promise, by its id.
func (m *Matrix) killers(id string) []string {
	var names []string
	for _, mutant := range Mutants() {
		result, played := m.Result(mutant.Name)
		if played && result.Fate == fate.Killed && slices.Contains(mutant.Promises(), id) {
			names = append(names, mutant.Name)
		}
	}
	return names
}

// Hold takes over what a run without mutants said. That nothing could be said
// takes nothing away, and is told where nothing else is known.
func (m *Matrix) Hold(run string, verdicts []record.Verdict) {
	if m.Sound == nil {
		m.Sound = map[string]record.Outcome{}
	}
	for _, verdict := range verdicts {
		if _, known := m.Sound[verdict.ID]; !known || verdict.Verdict != record.Inconclusive {
			m.Sound[verdict.ID] = verdict.Verdict
		}
	}
	if !slices.Contains(m.SoundRuns, run) {
		m.SoundRuns = append(m.SoundRuns, run)
	}
}

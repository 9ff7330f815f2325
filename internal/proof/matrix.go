package proof

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/proof/spoil"
	"github.com/wayproof/wayproof/internal/record"
)

// Matrix is the kill matrix: what became of every mutant, of the mesh and of
// records, as it is committed and rendered.
type Matrix struct {
	Schema  int   `json:"schema"`
	Results []Row `json:"results"`
	// Sound is what each promise said of the mesh without a mutant, by id, in the
	// runs of SoundRuns.
	Sound     map[string]Heard `json:"sound"`
	SoundRuns []string         `json:"soundRuns"`
	Records   []spoil.Tally    `json:"records"`
	Seeds     int              `json:"seeds"` // recordings of each kind
	Soak      *Soak            `json:"soak,omitempty"`
}

// Row is what became of a mutant: the result that is told, and every play of the
// defect as it is now, so that none is forgotten for a better one.
type Row struct {
	Result

	Plays []Play `json:"plays,omitempty"`
}

// Play is one draw of a mutant.
type Play struct {
	Run   string    `json:"run"`
	Istio string    `json:"istio"`
	Fate  fate.Fate `json:"fate"`
}

// Killed is in how many of its plays the mutant was killed.
func (r Row) Killed() int {
	kills := 0
	for _, play := range r.Plays {
		if play.Fate == fate.Killed {
			kills++
		}
	}
	return kills
}

// after is the row with one more result. Where a mutant could not be played
// nothing was found out; where nothing could be said, what is told stays, and
// the play is counted. Plays of a defect that has been changed since are of
// another one.
func (r Row) after(next Result) Row {
	known := r.Mutant != "" && r.Fate != fate.Unplayable
	if next.Fate != fate.Failed && r.Digest != next.Digest {
		r, known = Row{}, false
	}
	switch {
	case next.Fate == fate.Failed || next.Fate == fate.Unplayable && known:
		return r
	case next.Fate == fate.Unplayable:
		return Row{Result: next}
	case slices.ContainsFunc(r.Plays, func(p Play) bool { return p.Run == next.Run }):
		return r // taken over already
	}
	if !known || next.Fate != fate.Inconclusive || r.Fate == fate.Inconclusive {
		r.Result = next
	}
	r.Plays = append(slices.Clone(r.Plays), Play{Run: next.Run, Istio: next.Istio, Fate: next.Fate})
	return r
}

// Merge takes over the results of a run: rows of mutants that are no more are
// dropped, and all stand in the order of Mutants.
func (m *Matrix) Merge(results []Result) {
	var rows []Row
	for _, mutant := range Mutants() {
		row, _ := m.Result(mutant.Name)
		for _, result := range results {
			if result.Mutant == mutant.Name {
				row = row.after(result)
			}
		}
		if row.Mutant != "" {
			rows = append(rows, row)
		}
	}
	m.Schema, m.Results = Schema, rows
}

// Migrate brings a matrix of schema 1 up to date: its rows were played once, by
// the mutants as they were when schema 2 came.
func (m *Matrix) Migrate() error {
	if m.Schema != 1 {
		return nil
	}
	for _, mutant := range Mutants() {
		digest, err := mutant.Digest()
		if err != nil {
			return err
		}
		for i, row := range m.Results {
			if row.Mutant != mutant.Name {
				continue
			}
			m.Results[i].Digest = digest
			if row.Fate != fate.Unplayable {
				m.Results[i].Plays = []Play{{Run: row.Run, Istio: row.Istio, Fate: row.Fate}}
			}
		}
	}
	m.Schema = Schema
	return nil
}

// Result finds what became of a mutant.
func (m *Matrix) Result(name string) (Row, bool) {
	place := slices.IndexFunc(m.Results, func(r Row) bool { return r.Mutant == name })
	if place < 0 {
		return Row{}, false
	}
	return m.Results[place], true
}

// Killers are the mutants that were killed by a promise, by its id.
func (m *Matrix) Killers(id string) []string {
	var names []string
	for _, row := range m.Results {
		name, ours := strings.CutPrefix(id, row.Scenario+"/")
		if ours && row.Fate == fate.Killed && slices.Contains(row.Kills, name) {
			names = append(names, row.Mutant)
		}
	}
	return names
}

// Heard counts what a promise said of the sound mesh, by outcome.
type Heard map[record.Outcome]int

// UnmarshalJSON reads a single outcome too: schema 1 kept the last one only.
func (h *Heard) UnmarshalJSON(text []byte) error {
	var last record.Outcome
	if json.Unmarshal(text, &last) == nil {
		*h = Heard{last: 1}
		return nil
	}
	return json.Unmarshal(text, (*map[record.Outcome]int)(h))
}

// String is "held 2, inconclusive 1".
func (h Heard) String() string {
	var parts []string
	for _, outcome := range slices.Sorted(maps.Keys(h)) {
		parts = append(parts, fmt.Sprintf("%s %d", outcome, h[outcome]))
	}
	return strings.Join(parts, ", ")
}

// Hold takes over what a run without mutants said, once.
func (m *Matrix) Hold(run string, verdicts []record.Verdict) {
	if slices.Contains(m.SoundRuns, run) {
		return
	}
	if m.Sound == nil {
		m.Sound = map[string]Heard{}
	}
	for _, verdict := range verdicts {
		if m.Sound[verdict.ID] == nil {
			m.Sound[verdict.ID] = Heard{}
		}
		m.Sound[verdict.ID][verdict.Verdict]++
	}
	m.SoundRuns = append(m.SoundRuns, run)
}

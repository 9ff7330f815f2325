package table

import (
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/peer"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

// Schema is the version of Report and Table as they are written.
const Schema = 1

// Report is what one run of upstream's suite found.
type Report struct {
	Schema      int                `json:"schema"`
	Run         string             `json:"run"`
	Command     string             `json:"command"`
	Started     time.Time          `json:"started"`
	Ended       time.Time          `json:"ended"`
	Environment record.Environment `json:"environment"`
	Sound       []peer.Outcome     `json:"sound"`
	Results     []peer.Result      `json:"results"`
}

// Table is what is committed: the newest of each.
type Table struct {
	Schema      int                `json:"schema"`
	Suite       string             `json:"suite"` // version of upstream's
	Runs        []string           `json:"runs"`
	Environment record.Environment `json:"environment"` // of the newest run
	Sound       []peer.Outcome     `json:"sound"`       // in upstream's order
	Rows        []Row              `json:"rows"`
}

// Row is one mutant.
type Row struct {
	peer.Result

	Run  string `json:"run"`
	Ours *Ours  `json:"ours,omitempty"` // missing where no promise of ours is about it
}

// Ours is what the kill matrix has of the same defect.
type Ours struct {
	Fate    fate.Fate `json:"fate"`
	Kills   []string  `json:"kills"` // the promises that must be violated
	Seconds float64   `json:"seconds"`
}

// Merge takes a run over. Where a mutant could not be asked nothing was found
// out, and what is known of it stays.
func (t *Table) Merge(report Report) {
	t.Schema, t.Suite, t.Environment = Schema, peer.Version, report.Environment
	if !slices.Contains(t.Runs, report.Run) {
		t.Runs = append(t.Runs, report.Run)
	}
	sound := slices.Concat(report.Sound, t.Sound)
	t.Sound = nil
	for _, test := range peer.Profile() {
		if outcome, asked := peer.Of(sound, test.Name); asked {
			t.Sound = append(t.Sound, outcome)
		}
	}
	var told, open []Row
	for _, result := range report.Results {
		row := Row{Result: result, Run: report.Run}
		if result.Verdict == peer.Failed {
			open = append(open, row)
		} else {
			told = append(told, row)
		}
	}
	t.keep(slices.Concat(told, t.Rows, open))
}

// keep has the first row of each mutant that there is, in their order.
func (t *Table) keep(rows []Row) {
	t.Rows = nil
	for _, mutant := range peer.Mutants() {
		place := slices.IndexFunc(rows, func(r Row) bool { return r.Mutant == mutant.Name })
		if place >= 0 {
			t.Rows = append(t.Rows, rows[place])
		}
	}
}

// Compare sets beside it what the kill matrix has.
func (t *Table) Compare(matrix *proof.Matrix) {
	for i, row := range t.Rows {
		t.Rows[i].Ours = nil
		mutant, err := peer.Find(row.Mutant)
		if err != nil || !mutant.Ours {
			continue
		}
		if result, played := matrix.Result(row.Mutant); played {
			t.Rows[i].Ours = &Ours{Fate: result.Fate, Kills: result.Kills, Seconds: result.Seconds}
		}
	}
}

// shared are the rows that both are asked about, theirs those of upstream alone.
func (t *Table) shared() []Row { return t.of(true) }
func (t *Table) theirs() []Row { return t.of(false) }

func (t *Table) of(ours bool) []Row {
	return slices.DeleteFunc(slices.Clone(t.Rows), func(r Row) bool {
		mutant, err := peer.Find(r.Mutant)
		return err != nil || mutant.Ours != ours
	})
}

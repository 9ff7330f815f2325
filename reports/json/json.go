// Package json renders the verdicts of a run as JSON, and holds the JSON
// Schemas of verdicts.json and run.json (docs/records.md explains both files).
// It reads the head of a run only; package record writes the files themselves.
package json

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/outcome"
)

//go:embed verdicts.schema.json
var verdictsSchema []byte

//go:embed run.schema.json
var runSchema []byte

// VerdictsSchema is the JSON Schema (2020-12) of verdicts.json.
func VerdictsSchema() []byte { return append([]byte(nil), verdictsSchema...) }

// RunSchema is the JSON Schema (2020-12) of run.json.
func RunSchema() []byte { return append([]byte(nil), runSchema...) }

// Render writes a list of verdicts, one for each promise in the order of the
// plan; a promise that was never judged is inconclusive.
func Render(w io.Writer, run *record.Run) error {
	verdicts := outcome.Judged(run)
	if verdicts == nil {
		verdicts = []record.Verdict{}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(verdicts); err != nil {
		return fmt.Errorf("write verdicts of run %s: %w", run.ID, err)
	}
	return nil
}

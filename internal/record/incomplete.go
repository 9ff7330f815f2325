package record

import (
	"fmt"
	"slices"
)

// Incomplete says that a record ended early or does not hold what its writer
// counted. Every other stage is whole.
type Incomplete struct {
	Stages []int // indexes of the stages that are not whole, ascending
	All    bool  // nothing says which stages are whole
	Cause  error
}

// Error names the stages and the cause.
func (e *Incomplete) Error() string {
	if e.All {
		return fmt.Sprintf("record is incomplete: %v", e.Cause)
	}
	return fmt.Sprintf("record is incomplete in stages %v: %v", e.Stages, e.Cause)
}

// Unwrap gives the cause.
func (e *Incomplete) Unwrap() error { return e.Cause }

// Broken reports whether the stage with this index is not whole.
func (e *Incomplete) Broken(stage int) bool {
	return e.All || slices.Contains(e.Stages, stage)
}

package catalogue

import (
	_ "embed"

	"github.com/wayproof/wayproof/internal/claim"
)

//go:embed known.yaml
var known []byte

// Known is the reviewed list of what the mesh is known to do otherwise than
// promised: known.yaml, which says what an entry means.
func Known() (claim.Deviations, error) { return claim.ParseDeviations(known) }

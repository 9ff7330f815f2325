package claim

import (
	"fmt"

	"github.com/wayproof/wayproof/internal/record"
)

// starving is the share of its time from which on a stage's machine had no
// processor to spare: some task always waited for one. Where one stage is slower
// than another, that may be the machine as well as the mesh. What is fast enough
// there is fast enough.
const starving = 0.75

// starved says that slowness in one of the stages is no evidence against the
// mesh, or "".
func starved(stages ...*record.Stage) string {
	for _, stage := range stages {
		if share := stage.Health.Starved; share >= starving {
			return fmt.Sprintf("in stage %s some task waited for a processor for %.0f %% of the time: the machine was too busy to tell whose slowness that is",
				stage.Name, 100*share)
		}
	}
	return ""
}

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

// excuse says why slowness is no evidence against the mesh, or "": requests that
// have nothing to do with the bound were as slow, the generator was held up
// itself, or no processor was free.
func (l *latency) excuse(b QuantileBound) string {
	rest, known := l.rest.upper(b.Quantile, l.promise.Beta)
	if l.params.CalmMs > 0 && !(known && rest <= fromMilliseconds(l.params.CalmMs)) {
		return fmt.Sprintf("and of the other requests %s: the machine is not calm enough, want %g ms",
			bounded(quantileName(b.Quantile), "at most", rest, known), l.params.CalmMs)
	}
	// Half of what a quantile leaves beyond itself is enough to have made its tail.
	if total := l.late + l.taken.size() + l.rest.size(); 2*1000*l.late > (1000-b.Quantile)*total {
		return fmt.Sprintf("but %d of %d requests were sent more than %v late: the load generator was held up itself", l.late, total, prompt.lag())
	}
	if starving := starved(l.stage); starving != "" {
		return "but " + starving
	}
	return ""
}

package loadgen

import (
	"fmt"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen/hdr"
)

// tally gathers the health of an attack from its observations.
type tally struct {
	lag    hdr.Histogram
	health record.Health
	notes  []string
}

func newTally(plan Plan) *tally {
	return &tally{health: record.Health{Planned: plan.Load.Hits}}
}

func (t *tally) add(o record.Observation) {
	lag := max(o.Sent-o.Intended, 0)
	t.lag.Record(lag)
	t.health.LagMax = max(t.health.LagMax, lag)
	t.health.Replays += o.Replays
	if o.Class != record.ClassCanceled {
		t.health.Completed++
	}
}

func (t *tally) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// close completes the record: how the numbers of sent requests, of skipped ones
// and of answers compare with the plan.
func (t *tally) close(throttled time.Duration) record.Health {
	h := &t.health
	h.LagP99 = min(t.lag.Quantile(0.99), h.LagMax)
	h.Throttled = throttled
	if !h.Stopped && h.Sent+h.Skipped != h.Planned {
		t.note("sent %d and skipped %d of %d planned requests", h.Sent, h.Skipped, h.Planned)
	}
	if h.Completed != h.Sent {
		t.note("%d of %d requests sent have no outcome of their own", h.Sent-h.Completed, h.Sent)
	}
	h.Error = strings.Join(t.notes, "; ")
	return *h
}

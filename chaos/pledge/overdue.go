package pledge

import (
	"fmt"
	"time"
)

// Heart judges heartbeats by one clock, the watcher's own: what counts is how
// long it has seen a Lease's stamp not move, not what the stamp says.
type Heart struct {
	stamp map[string]string
	moved map[string]time.Time
}

// NewHeart has seen nothing yet.
func NewHeart() *Heart { return &Heart{stamp: map[string]string{}, moved: map[string]time.Time{}} }

// See notes a run's stamp; an absent Lease has the empty stamp.
func (h *Heart) See(run, stamp string, now time.Time) {
	if before, known := h.stamp[run]; known && before == stamp {
		return
	}
	h.stamp[run], h.moved[run] = stamp, now
}

// Overdue says why a pledge has to be carried out now, or "" if it has not.
func (h *Heart) Overdue(p Pledge, now time.Time) string {
	if now.After(p.Deadline) {
		return fmt.Sprintf("its time was up at %s", p.Deadline.UTC().Format(time.TimeOnly))
	}
	moved, known := h.moved[p.Run]
	if known && now.Sub(moved) > Silence {
		return fmt.Sprintf("no heartbeat of run %s for %v", p.Run, now.Sub(moved).Round(time.Second))
	}
	return ""
}

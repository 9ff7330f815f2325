package chaos

import (
	"fmt"
	"strings"
	"time"
)

// Windows of an experiment, in their order. Fault lasts from the injection to
// the undo, recovery from the undo to the proof that all is whole.
const (
	WindowBaseline = "baseline"
	WindowFault    = "fault"
	WindowRecovery = "recovery"
	WindowAfter    = "after"
)

// Spec is a fault as data: what plan and record say of it.
type Spec struct {
	Name   string `json:"name"`   // of the fault in chaos/fault: "kill"
	Target string `json:"target"` // "travel-agency/waypoint-travel-agency"
	// Domain is the failure domain; two faults of one domain never overlap.
	Domain string `json:"domain"`
	// Hold is how long the fault stays after it is confirmed.
	Hold time.Duration `json:"holdNs"`
	// Params are the fault's own: "grace": "0", "leg": "load-waypoint".
	Params map[string]string `json:"params,omitempty"`
}

// String is the fault in one line.
func (s Spec) String() string {
	var parts []string
	for _, name := range sortedKeys(s.Params) {
		parts = append(parts, name+"="+s.Params[name])
	}
	text := fmt.Sprintf("%s of %s for %v", s.Name, s.Target, s.Hold)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

// Phases are the lengths of the windows that time alone decides.
type Phases struct {
	Baseline time.Duration
	After    time.Duration
}

// Burn watches the errors of all arms while a fault lasts and says when so much
// of the budget is gone that the fault has to end at once. It is used from one
// goroutine.
type Burn struct {
	Of      int     // requests looked at, the last ones
	Share   float64 // of failures at which it is enough
	results []bool
	failed  int
	next    int
}

// Add notes one request and reports whether the budget is burnt.
func (b *Burn) Add(failed bool) bool {
	if len(b.results) < b.Of {
		b.results = append(b.results, failed)
	} else {
		if b.results[b.next] {
			b.failed--
		}
		b.results[b.next] = failed
		b.next = (b.next + 1) % b.Of
	}
	if failed {
		b.failed++
	}
	return len(b.results) == b.Of && float64(b.failed) >= b.Share*float64(b.Of)
}

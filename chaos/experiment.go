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
	WindowArrival  = "arrival" // of what waited, once the first half of a fault has ended
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
	// Arrival, if set, lies between the halves of a fault that has two.
	Arrival time.Duration
}

// Burn watches what becomes of the requests of all arms and says when so much
// fails that the fault has to end at once: nearly everything, for a time. Requests
// count when they end, so that a mesh which answers nothing is noticed when the
// first of them are given up. It is used from one goroutine at a time.
type Burn struct {
	For   time.Duration // how long it has to last, in whole seconds
	Share float64       // of failures at which it is enough
	Least int           // requests that have to have ended in that time

	begun   time.Time
	seconds []second // the last ones, in a ring
}

// second counts the requests that ended in one second.
type second struct {
	at          int64
	all, failed int
}

// Add notes a request that has ended and reports whether the budget is burnt.
func (b *Burn) Add(at time.Time, failed bool) bool {
	if b.begun.IsZero() {
		b.begun, b.seconds = at, make([]second, max(1, int(b.For/time.Second)))
	}
	now := at.Unix()
	place := &b.seconds[now%int64(len(b.seconds))]
	if place.at != now {
		*place = second{at: now}
	}
	place.all++
	if failed {
		place.failed++
	}
	var last second
	for _, one := range b.seconds {
		if one.at > now-int64(len(b.seconds)) {
			last.all, last.failed = last.all+one.all, last.failed+one.failed
		}
	}
	return at.Sub(b.begun) >= b.For && last.all >= b.Least && float64(last.failed) >= b.Share*float64(last.all)
}

package claim

import (
	"fmt"
	"math"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// attendance checks that a stage's record is that of a healthy generator: every
// planned request is there once, was sent on time, and carries sane clocks. It
// keeps four bytes per request.
type attendance struct {
	stage    *record.Stage
	intended []uint32 // microseconds plus one, by Seq; 0 is not seen
	count    int
	twice    int
	outside  int
	overdue  [3]int // by tolerance: sent later than it allows
	unclear  int    // times that cannot be
}

// mostRequests is how many a record may claim to have and still be believed.
const mostRequests = 200_000_000

// tolerance is how late requests may go out for what a claim is about.
type tolerance int

// Tolerances. A claim about time since the intended instant takes lateness for
// slowness, so it wants punctual requests. One about time since the sending does
// not, but a generator that is held up stops its clock late too, so it wants
// prompt ones. To a claim about who answered what, a late request tells as much
// as a punctual one, as long as it still belongs to its stage.
const (
	punctual tolerance = iota
	prompt
	loose
)

func (t tolerance) lag() time.Duration {
	return [...]time.Duration{10 * time.Millisecond, 25 * time.Millisecond, 250 * time.Millisecond}[t]
}

// admit notes an observation and tells whether claims may see it.
func (a *attendance) admit(o *record.Observation) bool {
	if o.Seq < 0 || o.Seq >= min(a.stage.Load.Hits, mostRequests) {
		a.outside++
		return false
	}
	for len(a.intended) <= o.Seq {
		a.intended = append(a.intended, 0)
	}
	if a.intended[o.Seq] != 0 {
		a.twice++
		return false
	}
	a.intended[o.Seq] = uint32(min(o.Intended/time.Microsecond, math.MaxUint32-1)) + 1
	a.count++
	for t := range a.overdue {
		if o.Sent-o.Intended > tolerance(t).lag() {
			a.overdue[t]++
		}
	}
	if !saneTimes(o) {
		a.unclear++
	}
	return true
}

// saneTimes is false where a clock stepped: an answer before its request, a
// request well before its instant.
func saneTimes(o *record.Observation) bool {
	if o.Intended < 0 || o.Sent < o.Intended-time.Millisecond || o.Done < o.Sent {
		return false
	}
	return o.First == 0 || o.First >= o.Sent && o.First <= o.Done
}

// unfit says why the stage cannot be judged, or "". Claims that read no
// requests do not depend on the generator; others mind a request that was skipped
// by plan, or do not.
func (a *attendance) unfit(k kind, allowed tolerance, mindsGaps bool) string {
	if len(a.stage.Missing) > 0 {
		return fmt.Sprintf("could not be collected: %v", a.stage.Missing)
	}
	if !k.load {
		return ""
	}
	checks := [...]func() string{a.unhealthy, func() string { return a.behind(allowed) }, a.unrecorded, a.disorder}
	for _, check := range checks {
		if reason := check(); reason != "" {
			return reason
		}
	}
	if skipped := a.stage.Health.Skipped; skipped > 0 && mindsGaps {
		return fmt.Sprintf("the load generator skipped %d requests", skipped)
	}
	return a.hole()
}

// unhealthy is what the generator says of itself, and what the times say.
func (a *attendance) unhealthy() string {
	h := a.stage.Health
	switch {
	case a.stage.Load.Hits <= 0:
		return "no request was planned"
	case h.Error != "":
		return "the load generator failed: " + h.Error
	case h.Throttled > 0:
		return fmt.Sprintf("the load generator was throttled for %v", h.Throttled)
	case h.Planned != a.stage.Load.Hits:
		return fmt.Sprintf("the load generator planned %d requests, the stage %d", h.Planned, a.stage.Load.Hits)
	case h.Sent+h.Skipped != h.Planned && !h.Stopped:
		return fmt.Sprintf("%d of %d planned requests were sent", h.Sent, h.Planned)
	case h.Completed != h.Sent:
		return fmt.Sprintf("%d of %d sent requests were completed", h.Completed, h.Sent)
	}
	return ""
}

// behind is how far the generator fell behind its schedule, by its own word and
// by the record, further than the claim allows.
func (a *attendance) behind(allowed tolerance) string {
	limit, late := allowed.lag(), a.overdue[allowed]
	if lag := a.stage.Health.LagP99; lag > limit {
		return fmt.Sprintf("the load generator was behind schedule: lag p99 %v, at most %v", lag, limit)
	}
	if 100*late > a.count {
		return fmt.Sprintf("%d of %d requests were sent more than %v late", late, a.count, limit)
	}
	return ""
}

// unrecorded is what the record does not hold.
func (a *attendance) unrecorded() string {
	switch {
	case a.count == 0:
		return "no request was recorded"
	case a.twice > 0:
		return fmt.Sprintf("%d observations are in the record twice", a.twice)
	case a.outside > 0:
		return fmt.Sprintf("%d observations are of requests that were never planned", a.outside)
	case a.count != a.stage.Health.Sent:
		return fmt.Sprintf("%d of %d sent requests are in the record", a.count, a.stage.Health.Sent)
	case a.unclear > 0:
		return fmt.Sprintf("the times of %d observations cannot be: a clock stepped", a.unclear)
	}
	return ""
}

// hole finds a request that is missing between others, unless it was skipped by
// plan.
func (a *attendance) hole() string {
	if len(a.intended)-a.count <= a.stage.Health.Skipped {
		return ""
	}
	for seq, at := range a.intended {
		if at == 0 {
			return fmt.Sprintf("request #%d is missing between others", seq)
		}
	}
	return ""
}

// disorder finds a request whose intended instant precedes its predecessor's.
func (a *attendance) disorder() string {
	last, at := -1, uint32(0)
	for seq, intended := range a.intended {
		if intended == 0 {
			continue
		}
		if intended < at {
			return fmt.Sprintf("request #%d was intended before #%d: the order of the record is wrong", seq, last)
		}
		last, at = seq, intended
	}
	return ""
}

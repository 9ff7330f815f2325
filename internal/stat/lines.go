package stat

import "math"

// Decision is the state of a sequential test after some requests.
type Decision int

// The states. Low and High say on which side of the declared share the mesh is.
const (
	Open Decision = iota
	Held
	Low
	High
)

// String names the state.
func (d Decision) String() string {
	return [...]string{"open", "held", "low", "high"}[d]
}

// never is a boundary that no count reaches.
const never = math.MaxInt32

// side is one sequential probability ratio test (Wald 1945) of the declared
// share p0 against a deviation p1: after n requests with X hits the logarithm
// of the likelihood ratio for p1 is gain*(slope*n - X), with the sign turned on
// the high side.
type side struct {
	tested  bool
	gain    float64
	slope   float64
	reject  float64 // distance of the violated line, ln(4/alpha)/gain
	accept  float64 // distance of the held line, ln(2/beta)/gain
	against Share
}

// newSide makes the test against a shift of d per mille; d is negative below.
func newSide(g Goal, d int) side {
	against, ok := g.Share.shift(d)
	if !ok {
		return side{}
	}
	p0, q0, p1, q1 := g.Share.P(), g.Share.Q(), against.P(), against.Q()
	// A deviation to exactly 0 or 1 has no likelihood ratio. Any other line is
	// valid too (Ville 1939), and its misses are computed at the true deviation.
	p1, q1 = max(p1, p0/100), max(q1, q0/100)
	gain := math.Abs(math.Log(p0 * q1 / (p1 * q0)))
	return side{
		tested:  true,
		gain:    gain,
		slope:   math.Abs(math.Log(q1/q0)) / gain,
		reject:  math.Log(4/g.Alpha) / gain,
		accept:  math.Log(2/g.Beta) / gain,
		against: against,
	}
}

// lines are the boundaries after n requests: violated-low up to RejectLow, held
// from AcceptLow to AcceptHigh, violated-high from RejectHigh on.
type lines struct {
	RejectLow, AcceptLow, AcceptHigh, RejectHigh int
}

func linesAt(low, high side, n int) lines {
	l := lines{RejectLow: -1, AcceptLow: 0, AcceptHigh: n, RejectHigh: never}
	if low.tested {
		l.RejectLow = int(math.Floor(low.slope*float64(n) - low.reject))
		l.AcceptLow = int(math.Ceil(low.slope*float64(n) + low.accept))
	}
	if high.tested {
		l.AcceptHigh = int(math.Floor(high.slope*float64(n) - high.accept))
		l.RejectHigh = int(math.Ceil(high.slope*float64(n) + high.reject))
	}
	return l
}

func (l lines) decide(hits int) Decision {
	switch {
	case hits <= l.RejectLow:
		return Low
	case hits >= l.RejectHigh:
		return High
	case l.AcceptLow <= hits && hits <= l.AcceptHigh:
		return Held
	}
	return Open
}

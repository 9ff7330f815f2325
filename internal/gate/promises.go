package gate

import (
	"fmt"

	"github.com/wayproof/wayproof/internal/record"
)

// rule holds every verdict against the policy, in their order, and then names
// the patterns that nothing answered to.
func (p Policy) rule(verdicts []record.Verdict) []Row {
	rows := make([]Row, 0, len(verdicts))
	answered := make([]bool, len(p.Must))
	for _, v := range verdicts {
		for i, pattern := range p.Must {
			answered[i] = answered[i] || matches(pattern, v.ID)
		}
		rows = append(rows, p.one(v))
	}
	for i, pattern := range p.Must {
		if !answered[i] {
			rows = append(rows, Row{Subject: pattern, Ruling: Open, Why: "the policy asks for it and the run has no such promise"})
		}
	}
	return rows
}

// dropped are the promises of the baseline that the policy asks for and the run
// did not set out to show: a smaller run is no better one.
func (p Policy) dropped(was, is record.Plan) []Row {
	var rows []Row
	for _, promise := range was.Promises {
		if _, still := promiseOf(is, promise.ID); still || !matchesAny(p.Must, promise.ID) {
			continue
		}
		rows = append(rows, Row{Subject: promise.ID, Ruling: Open, Why: "the policy asks for it, the baseline has it, and the plan of the run has not"})
	}
	return rows
}

// one rules on a verdict.
func (p Policy) one(v record.Verdict) Row {
	row := Row{Subject: v.ID, Seen: string(v.Verdict)}
	row.Ruling, row.Why = p.ruling(v)
	if row.Ruling != Passed && !matchesAny(p.Must, v.ID) {
		row.Why = fmt.Sprintf("%s, but the policy does not ask for it", v.Verdict)
		row.Ruling = Left
	}
	return row
}

func (p Policy) ruling(v record.Verdict) (Ruling, string) {
	if v.StandIn && !p.StandIn {
		return Open, "shown on a stand-in for the node proxy: it says nothing about Istio's"
	}
	switch v.Verdict {
	case record.Held:
		return Passed, ""
	case record.Unsupported:
		if matchesAny(p.MayBeUnsupported, v.ID) {
			return Passed, "may be unsupported: " + v.Reason
		}
		return Open, "may not be unsupported: " + v.Reason
	case record.ViolatedKnown:
		if p.acceptsKnown() {
			return Passed, "listed deviation: " + v.Known
		}
		return Failed, "the policy accepts no listed deviations"
	case record.Inconclusive:
		return Open, v.Reason
	default: // violated, and whatever is no outcome at all
		return Failed, v.Detail
	}
}

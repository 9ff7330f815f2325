package catalogue

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// NemesisID is the id of the experiment that a schedule of faults makes.
const NemesisID = "resilience/nemesis"

// Strikes draws a schedule from a seed: a pure function of the seed, the
// catalogue and the length.
func Strikes(seed uint64, length time.Duration) []chaos.Strike {
	experiments := Resilience()
	faults := make([]chaos.Spec, len(experiments))
	for i, e := range experiments {
		faults[i] = e.Fault
	}
	return chaos.Schedule(seed, faults, chaos.Constraints{Duration: length, Settle: settleBetween, Jitter: settleBetween / 2, Apart: true})
}

// settleBetween is the least pause between two faults of a schedule.
const settleBetween = 30 * time.Second

// StrikeWindow is the name of the window in which a strike lasts.
func StrikeWindow(strike chaos.Strike) string { return fmt.Sprintf("strike-%d", strike.Number) }

// Nemesis is a schedule as an experiment: after each strike every arm is clean
// again as soon as its own experiment promises, nothing fails before the first
// or after the last, and everything is put back.
func Nemesis(strikes []chaos.Strike) Experiment {
	e := experiment("nemesis", "a schedule of faults", chaos.Spec{Name: "schedule", Domain: "all"}, allowance{keptPPM: -1, newPPM: -1, streamPPM: -1})
	e.Strikes = strikes
	e.Setup = []Piece{{File: splitRoute}, {File: "resilience/agency-pdb.yaml"}}
	length := longest
	for _, strike := range strikes {
		length += strike.Spec.Hold + 2*settleBetween
		for _, arm := range arms() {
			e.Promises = append(e.Promises, e.survived(arm, strike)...)
		}
	}
	e.Expect = length
	for i := range e.Drives {
		e.Drives[i].Load.Hits = int(e.Drives[i].Load.Rate * length.Seconds())
	}
	return e
}

// survived promises an arm's recovery from a strike.
func (e Experiment) survived(arm string, strike chaos.Strike) []record.Promise {
	within := allowedOf(strike.Spec).wholeWithin
	if within == 0 || arm == ArmStream {
		return nil
	}
	title := fmt.Sprintf("clean again after strike %d, %s", strike.Number, strike.Spec)
	p := e.back(arm, StrikeWindow(strike), title, claim.RecoveryParams{Window: StrikeWindow(strike), WithinMs: int(within.Milliseconds())})
	p.Requires = []string{FaultAbility(strike.Spec)}
	return []record.Promise{p}
}

// allowedOf finds what a fault's own experiment allows.
func allowedOf(spec chaos.Spec) allowance {
	for _, e := range Resilience() {
		if e.Fault.String() == spec.String() {
			return e.allowed
		}
	}
	return allowance{}
}

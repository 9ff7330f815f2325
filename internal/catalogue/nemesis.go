package catalogue

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
	var faults []chaos.Spec
	for _, e := range Grounded() {
		faults = append(faults, e.Fault)
	}
	return chaos.Schedule(seed, faults, chaos.Constraints{Duration: length, Settle: settleBetween, Jitter: settleBetween / 2, Apart: true})
}

// Grounded lists the experiments whose fault finds what it needs on the ground
// that all share: two replicas of the waypoint, and no autoscaler.
func Grounded() []Experiment {
	return slices.DeleteFunc(Resilience(), func(e Experiment) bool {
		return e.Replicas[agencyWaypoint] != sharedReplicas || slices.Contains(e.Labels, Long)
	})
}

// scheduleFault is what a schedule of faults is called where a fault has a name.
const scheduleFault = "schedule"

// sharedReplicas is how many replicas a waypoint has where a fault takes one.
const sharedReplicas = 2

// settleBetween is the least pause between two faults of a schedule.
const settleBetween = 30 * time.Second

// StrikeWindow is the name of the window in which a strike lasts.
func StrikeWindow(strike chaos.Strike) string { return fmt.Sprintf("strike-%d", strike.Number) }

// Nemesis is a schedule as an experiment: each strike costs no more than its own
// experiment allows, after it every arm is clean again as soon as that promises,
// nothing fails before the first or after the last, and everything is put back.
func Nemesis(strikes []chaos.Strike) Experiment {
	e := experiment("nemesis", "a schedule of faults", chaos.Spec{Name: scheduleFault, Domain: "all"}, allowance{keptPPM: -1, newPPM: -1, streamPPM: -1})
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

// survived promises what a strike costs an arm, and the arm's recovery from it,
// as the fault's own experiment does.
func (e Experiment) survived(arm string, strike chaos.Strike) []record.Promise {
	own := of(strike.Spec).costs(arm, of(strike.Spec).allowed)
	promises := make([]record.Promise, 0, len(own))
	for _, p := range own {
		_, name, _ := strings.Cut(strings.TrimPrefix(p.ID, of(strike.Spec).ID+"/"), "/")
		p.ID = fmt.Sprintf("%s/%s/%s/%s", e.ID, arm, StrikeWindow(strike), name)
		p.Title = fmt.Sprintf("strike %d, %s", strike.Number, p.Title)
		p.Stages, p.Window = []string{stage(e.ID, arm)}, StrikeWindow(strike)
		p.Requires = []string{FaultAbility(strike.Spec), claim.Presupposing(StrikeWindow(strike))}
		promises = append(promises, within(p, StrikeWindow(strike)))
	}
	return promises
}

// within makes a promise about the window of a fault one about another window.
func within(p record.Promise, window string) record.Promise {
	var params map[string]any
	if err := json.Unmarshal(p.Params, &params); err != nil {
		return p
	}
	params["window"] = window
	p.Params = claim.Params(params)
	return p
}

// of finds a fault's own experiment.
func of(spec chaos.Spec) Experiment {
	for _, e := range Resilience() {
		if e.Fault.String() == spec.String() {
			return e
		}
	}
	return Experiment{}
}

// Settles says of a fault that its window begins when it is confirmed.
func Settles(spec chaos.Spec) bool { return of(spec).Settled }

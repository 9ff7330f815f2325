package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Experiment is a scenario with a fault in it: its drives are the arms, all at
// once and over all windows, and its promises are about single windows.
type Experiment struct {
	Scenario

	Fault  chaos.Spec
	Phases chaos.Phases
	// Settled begins the fault window when the fault is confirmed, not when it is
	// injected: where the injection replaces pods, which is another experiment.
	Settled bool
	// Strikes, if there are any, are played one after the other instead of Fault.
	Strikes []chaos.Strike

	allowed allowance
}

// The arms of every experiment. A GET on a kept connection hides resets where
// the client repeats it, a POST does not; a connection for each request meets
// every new pod at once; a stream is cut by what ends connections.
const (
	ArmGet    = "get"
	ArmPost   = "post"
	ArmFresh  = "fresh"
	ArmStream = "stream"
)

// armRates are requests per second of each arm. Together they are far below
// what two cores carry, so that the fault and not the load is seen.
const (
	armRate    = 50.0
	streamRate = 4.0
	// streamLength is shorter than what a waypoint drains for.
	streamLength = 3 * time.Second
	// longest bounds an experiment; arms end with it or earlier.
	longest = 8 * time.Minute
)

// armLoad is the load of one arm, for as long as an experiment may last.
func armLoad(arm string) record.Load {
	url := carsURL + "/cars/Madrid"
	load := record.Load{
		Rate: armRate, Clients: 16, Timeout: 10 * time.Second, Connections: "keepalive", Pacing: "skip",
		Targets: []record.Target{get("cars", url)},
	}
	switch arm {
	case ArmPost:
		load.Targets[0].Method, load.Targets[0].Body = "POST", "{}"
		// The demo answers no POST of its own; an order to answer 200 it obeys.
		load.Targets[0].Header = map[string]string{"x-wayproof-status": "200"}
	case ArmFresh:
		load.Connections = "fresh"
	case ArmStream:
		load.Rate, load.Timeout = streamRate, streamLength+10*time.Second
		load.Targets[0].Header = map[string]string{"x-wayproof-stream": streamLength.String()}
	}
	load.Hits = int(load.Rate * longest.Seconds())
	return load
}

// calm is the length of a window in which nothing may fail: as short as showing
// it takes at an arm's rate.
const calm = 12500 * time.Millisecond

func arms() []string { return []string{ArmGet, ArmPost, ArmFresh, ArmStream} }

// allowance is the budget of a fault's window: what it may cost, and how soon it must be over.
type allowance struct {
	// keptPPM, newPPM and streamPPM are errors per million in the fault window on
	// kept connections, on new ones and of streams; 0 is none at all, -1 is what
	// another promise is about.
	keptPPM, newPPM, streamPPM int
	// servedPPM is what may fail of each second's requests once an arm counts as
	// served again: 0 is nothing, else the share of what stays broken.
	servedPPM int
	// newWithin is how soon after the injection new connections are clean again,
	// keptWithin the same for kept ones; 0 promises nothing.
	newWithin, keptWithin time.Duration
	// wholeWithin is how soon after the undo everything is clean.
	wholeWithin time.Duration
}

// experiment is a scenario around one fault of a waypoint with its budget.
func experiment(id, title string, fault chaos.Spec, allowed allowance) Experiment {
	e := Experiment{
		Scenario: Scenario{
			ID: "resilience/" + id, Task: "resilience", Title: title, Base: Versions, Labels: []string{"chaos"},
			Waypoints: []string{"travel-agency"}, Replicas: map[string]int32{agencyWaypoint: sharedReplicas}, Expect: time.Minute + fault.Hold,
		},
		Fault: fault, Phases: chaos.Phases{Baseline: calm, After: calm}, allowed: allowed,
	}
	for _, arm := range arms() {
		e.Drives = append(e.Drives, Drive{Name: stage(e.ID, arm), Waypoint: agencyWaypoint, Load: armLoad(arm)})
		e.Promises = append(e.Promises, e.quiet(arm, chaos.WindowBaseline, "nothing fails before the fault"),
			e.quiet(arm, chaos.WindowAfter, "nothing fails after the fault"))
		e.Promises = append(e.Promises, e.costs(arm, allowed)...)
	}
	e.Promises = append(e.Promises, e.restored(), e.private())
	e.Promises = append(e.Promises, e.rightWay()...)
	return e
}

// promise begins a promise about one arm and window.
func (e Experiment) promise(arm, name, title, window string) record.Promise {
	return record.Promise{
		ID: e.ID + "/" + arm + "/" + name, Task: e.Task, Title: e.Title + ": " + title + " (" + arm + ")",
		Window: window, Stages: []string{stage(e.ID, arm)}, Unit: claim.UnitRequest, Beta: defaultBeta,
		Requires: e.requires(window),
	}
}

// requires is the fault, and its window, without which a promise says nothing: all but
// the one about what was before. A schedule has no fault of its own; it presupposes
// that it was begun upon a mesh that was well, and came to its end.
func (e Experiment) requires(window string) []string {
	able := []string{FaultAbility(e.Fault)}
	switch {
	case window == chaos.WindowBaseline:
		return able
	case e.Fault.Name == scheduleFault:
		return append(able, claim.Presupposing(chaos.WindowAfter))
	}
	return append(able, claim.Presupposing(chaos.WindowFault))
}

// FaultAbility is what an environment must offer for a fault as it is meant: that
// one leg cannot be cut says nothing of another.
func FaultAbility(fault chaos.Spec) string { return "fault " + fault.String() }

// quiet promises a window without any error. How rare an error may be and
// still be seen follows from how many requests an arm sends in a window.
func (e Experiment) quiet(arm, window, title string) record.Promise {
	p := e.promise(arm, window, title, window)
	p.Kind, p.Delta = claim.KindBound, 15
	if arm == ArmStream {
		p.Delta = 140
	}
	params := claim.BoundParams{Window: window}
	if window != chaos.WindowBaseline {
		params.Baseline = chaos.WindowBaseline
	}
	p.Params = claim.Params(params)
	return p
}

// faster sends an arm's requests at another rate, and promises of its fault
// window that so many were seen.
func (e Experiment) faster(arm string, rate float64, least int) Experiment {
	for i := range e.Drives {
		if e.Drives[i].Name == stage(e.ID, arm) {
			e.Drives[i].Load.Rate, e.Drives[i].Load.Hits = rate, int(rate*longest.Seconds())
			e.Drives[i].Load.Clients = int(rate / 5) // none waits for another while answers take less than 200 ms
		}
	}
	for i := range e.Promises {
		if e.Promises[i].ID == e.ID+"/"+arm+"/cost" {
			e.Promises[i].N = least
		}
	}
	return e
}

// costs are the promises about what the fault may cost an arm.
func (e Experiment) costs(arm string, allowed allowance) []record.Promise {
	ppm, within := allowed.keptPPM, allowed.keptWithin
	switch arm {
	case ArmFresh:
		ppm, within = allowed.newPPM, allowed.newWithin
	case ArmStream:
		ppm, within = allowed.streamPPM, 0
	}
	var promises []record.Promise
	if ppm >= 0 {
		promises = append(promises, e.bounded(arm, ppm))
	}
	if within > 0 {
		promises = append(promises, e.back(arm, "detect", "served again", claim.RecoveryParams{
			Window: chaos.WindowFault, FromStart: true, WithinMs: int(within.Milliseconds()), BudgetPPM: allowed.servedPPM,
		}))
	}
	if allowed.wholeWithin > 0 && arm != ArmStream {
		promises = append(promises, e.back(arm, "recovery", "clean again after the undo", claim.RecoveryParams{
			Window: chaos.WindowFault, WithinMs: int(allowed.wholeWithin.Milliseconds()),
		}))
	}
	return promises
}

// bounded promises the error rate of the fault window.
func (e Experiment) bounded(arm string, ppm int) record.Promise {
	p := e.promise(arm, "cost", "the fault costs no more than its budget", chaos.WindowFault)
	p.Kind, p.Delta = claim.KindBound, 40
	if arm == ArmStream {
		p.Delta = 200
	}
	p.Params = claim.Params(claim.BoundParams{BudgetPPM: ppm, Window: chaos.WindowFault, Baseline: chaos.WindowBaseline, CountSkipped: true})
	return p
}

// back promises that an arm is clean for three seconds in a row soon enough.
func (e Experiment) back(arm, name, title string, params claim.RecoveryParams) record.Promise {
	p := e.promise(arm, name, title, params.Window)
	params.Baseline = chaos.WindowBaseline
	p.Kind, p.Params = claim.KindRecovery, claim.Params(params)
	return p
}

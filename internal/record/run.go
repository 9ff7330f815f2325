package record

import (
	"encoding/json"
	"strings"
	"time"
)

// Run is everything about one run but its observations, which lie beside it in
// a stream of their own because they may be millions.
type Run struct {
	Schema      int         `json:"schema"`
	ID          string      `json:"id"`
	Command     string      `json:"command"`            // what reruns it
	Again       string      `json:"again,omitempty"`    // the same without what picked the promises: " --promise ID" goes behind it
	Wayproof    string      `json:"wayproof,omitempty"` // the build that recorded and judged: a revision
	Seed        uint64      `json:"seed"`
	Started     time.Time   `json:"started"`
	Ended       time.Time   `json:"ended"`
	Environment Environment `json:"environment"`
	Plan        Plan        `json:"plan"`
	Stages      []Stage     `json:"stages"`
	Windows     []Window    `json:"windows,omitempty"`
	Events      []Event     `json:"events,omitempty"`
	Findings    []Finding   `json:"findings,omitempty"`
	Verdicts    []Verdict   `json:"verdicts,omitempty"`
}

// againstMutant begins the command of a run that had a defect put into its mesh
// on purpose, as the suites take it from their environment.
const againstMutant = "MUTANT="

// AgainstMutant is the command that plays against a mutant again; none leaves it
// as it is.
func AgainstMutant(mutant, command string) string {
	if mutant == "" {
		return command
	}
	return againstMutant + mutant + " " + command
}

// Mutant is the defect that was put into the run's mesh on purpose, or nothing:
// what such a run says is about the defect, not about the mesh.
func (r *Run) Mutant() string {
	rest, spoilt := strings.CutPrefix(r.Command, againstMutant)
	if !spoilt {
		return ""
	}
	name, _, _ := strings.Cut(rest, " ")
	return name
}

// Environment says what was under test, so that two runs can be compared and a
// stand-in is never taken for the real thing.
type Environment struct {
	Name       string      `json:"name"` // kind | existing
	Kubernetes string      `json:"kubernetes"`
	Istio      string      `json:"istio"`
	GatewayAPI string      `json:"gatewayApi"`
	Channel    string      `json:"gatewayApiChannel,omitempty"` // standard | experimental
	NodeProxy  string      `json:"nodeProxy"`                   // ztunnel <version> | stand-in <version>
	Waypoint   string      `json:"waypoint"`                    // istio proxy <version> | upstream envoy <version> + adapter
	Nodes      int         `json:"nodes"`
	Components []Component `json:"components,omitempty"`
	// Lacks names abilities that this environment cannot offer; a promise that
	// requires one of them is unsupported, with the reason given here.
	Lacks []Lack `json:"lacks,omitempty"`
}

// Lack is an ability that an environment does not have, and why.
type Lack struct {
	Ability string `json:"ability"`
	Reason  string `json:"reason"`
}

// StandIn begins the NodeProxy value of an environment whose ztunnel is ours;
// its version follows.
const StandIn = "stand-in"

// HasStandIn says whether ztunnel's place is taken by a program of ours.
func (e Environment) HasStandIn() bool { return strings.HasPrefix(e.NodeProxy, StandIn) }

// Component is one thing that runs and where its image came from.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Image   string `json:"image"`
	Source  string `json:"source"` // pull | build | archive | node | existing
}

// Plan is what the run set out to prove, numbered, before the first request.
type Plan struct {
	Seed     uint64    `json:"seed"`
	Alpha    float64   `json:"alpha"` // false-alarm budget of the whole run
	Promises []Promise `json:"promises"`
	// Unselected are the promises of the same catalogue that the run leaves out: a
	// run of a few tasks is no run of all.
	Unselected []Unselected `json:"unselected,omitempty"`
}

// Unselected is a promise that a run did not set out to prove.
type Unselected struct {
	ID   string `json:"id"`
	Task string `json:"task"`
}

// Promise is one declared property of the mesh together with everything that
// is needed to judge it again from the record: the kind of claim, its
// parameters, and the stages whose observations it reads.
type Promise struct {
	ID     string `json:"id"`   // unique in the run, stable over runs: "task4/split-70-30"
	Task   string `json:"task"` // "task4", "timeouts", ...
	Title  string `json:"title"`
	Kind   string `json:"kind"`             // names the claim
	Window string `json:"window,omitempty"` // before | applied | after, or a fault window
	// Stages are names of Stage; their order has the meaning that the claim gives it.
	Stages []string        `json:"stages"`
	Params json.RawMessage `json:"params,omitempty"` // the claim's own
	Unit   string          `json:"unit"`             // request | connection | trace | sample
	Alpha  float64         `json:"alpha"`
	Beta   float64         `json:"beta"`
	Delta  int             `json:"deltaPerMille"` // smallest deviation that matters
	N      int             `json:"n"`             // planned sample; the cap of a sequential test
	// Design are the tests of shares that N was computed for, one per tested arm.
	Design []Design `json:"design,omitempty"`
	// Requires names what an environment must offer; missing makes it unsupported.
	// "window NAME" is what the record must hold; missing makes it inconclusive.
	Requires []string `json:"requires,omitempty"`
	// AboutNodeProxy marks a promise about ztunnel itself: under a stand-in it is labelled so.
	AboutNodeProxy bool `json:"aboutNodeProxy,omitempty"`
}

// Design is one sequential test as planned: its cap, the band at the cap, and
// its exact error probabilities, truncation included.
type Design struct {
	Of         string  `json:"of"` // the arm or property that is tested
	N          int     `json:"n"`
	Lo         int     `json:"lo"`
	Hi         int     `json:"hi"`
	FalseAlarm float64 `json:"falseAlarm"`
	Miss       float64 `json:"miss"`
	Median     int     `json:"median"` // requests it takes on a sound mesh, in the middle
}

// Finding is something worth a reader's time that is no verdict: a pruned
// field, a server warning, a correction of a workshop file.
type Finding struct {
	Task   string `json:"task,omitempty"`
	Object string `json:"object"`
	Text   string `json:"text"`
}

// Event is something that happened at an instant: an object applied, a fault
// injected, a replica ready.
type Event struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Object string    `json:"object,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// Window is a named stretch of time: baseline, fault, recovery, after.
type Window struct {
	Spec  string    `json:"spec"`
	Name  string    `json:"name"`
	Fault string    `json:"fault,omitempty"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

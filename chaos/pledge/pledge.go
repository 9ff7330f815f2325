// Package pledge is what is written down in the cluster before a fault is
// injected: how to undo it, until when it may last, and whose heartbeat keeps
// it alive. The harness writes pledges; the watchdog, the hands on the nodes
// and `wayproof heal` carry them out.
//
// It is data. It talks to no API server, so that the small agent and the
// harness can share it.
package pledge

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Namespace is where pledges, heartbeats, the watchdog and the hands live.
const Namespace = "wayproof-chaos"

// Label marks the ConfigMaps that hold pledges; Key is the entry with the pledge.
const (
	Label = "wayproof.dev/pledge"
	Key   = "pledge.json"
)

// Beat is how often a harness renews its Lease; a Lease that did not move for
// Silence means that its harness is gone.
const (
	Beat    = 5 * time.Second
	Silence = 15 * time.Second
)

// Party is who carries out a part of an undo: the cluster-wide watchdog, or the
// hand on a node.
type Party string

// Watchdog is the party of every request to the API server.
const Watchdog Party = "watchdog"

// HandOn is the party of a node's deeds.
func HandOn(node string) Party { return Party("hand." + node) }

// Pledge is one fault's undo. Each step is idempotent: it may be carried out by
// several parties, several times, also for a fault that never was injected.
type Pledge struct {
	ID      string    `json:"id"` // also the name of its ConfigMap
	Run     string    `json:"run"`
	Fault   string    `json:"fault"`
	Target  string    `json:"target"`
	Written time.Time `json:"written"`
	// Deadline ends the fault even under a living harness.
	Deadline time.Time `json:"deadline"`
	Undo     []Step    `json:"undo"`
}

// Step is one thing to do: exactly one of Request and Deed is set.
type Step struct {
	Say     string   `json:"say"` // for a reader: "scale istio-system/istiod back to 1"
	Request *Request `json:"request,omitempty"`
	Deed    *Deed    `json:"deed,omitempty"`
}

// Request is one call of the API server. Not finding the object counts as done.
type Request struct {
	Method      string          `json:"method"`
	Path        string          `json:"path"` // absolute, with query
	ContentType string          `json:"contentType,omitempty"`
	Body        json.RawMessage `json:"body,omitempty"`
}

// Deed is one thing that is done on a node, and undone there.
type Deed struct {
	Node string `json:"node"`
	Kind string `json:"kind"` // stop | kill | rules | burn | delay
	// Pod is the UID of the pod whose processes are stopped or killed, or whose
	// network namespace gets rules.
	Pod string `json:"pod,omitempty"`
	// Program is the beginning of the names of the processes to stop or kill.
	Program string `json:"program,omitempty"`
	// Name is the nftables table, or marks the burning process.
	Name string `json:"name,omitempty"`
	// Rules is the body of a chain in nftables' language, one rule per entry.
	Rules []Rule `json:"rules,omitempty"`
	// Workers is how many threads burn, For how long at most; of a delay, For is its length.
	Workers int           `json:"workers,omitempty"`
	For     time.Duration `json:"forNs,omitempty"`
}

// Rule is one line of a chain on a hook of the pod's network namespace.
type Rule struct {
	Hook string `json:"hook"` // input | output
	Text string `json:"text"`
}

// Kinds of Deed.
const (
	Stop  = "stop"
	Kill  = "kill" // has no undo: whoever started them starts them again
	Rules = "rules"
	Burn  = "burn"
	Delay = "delay"
)

// Lease is the name of a run's heartbeat.
func Lease(run string) string { return "heartbeat-" + strings.ToLower(run) }

// Encode is the pledge as it is stored.
func (p Pledge) Encode() (string, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	content, err := json.Marshal(p)
	return string(content), err
}

// Decode reads a stored pledge.
func Decode(text string) (Pledge, error) {
	var p Pledge
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Pledge{}, fmt.Errorf("read pledge: %w", err)
	}
	return p, p.check()
}

func (p Pledge) check() error {
	if p.ID == "" || p.Run == "" || p.Fault == "" || p.Deadline.IsZero() {
		return fmt.Errorf("pledge %q of fault %q is incomplete", p.ID, p.Fault)
	}
	var all error
	for _, step := range p.Undo {
		if (step.Request == nil) == (step.Deed == nil) {
			all = errors.Join(all, fmt.Errorf("step %q of pledge %s must be a request or a deed", step.Say, p.ID))
		}
	}
	return all
}

// Parties lists who has something to undo, the watchdog always: it also takes
// the pledge away when all are done.
func (p Pledge) Parties() []Party {
	parties := []Party{Watchdog}
	seen := map[Party]bool{Watchdog: true}
	for _, step := range p.Undo {
		if party := step.Party(); !seen[party] {
			seen[party] = true
			parties = append(parties, party)
		}
	}
	return parties
}

// Party is who can carry out the step.
func (s Step) Party() Party {
	if s.Deed != nil {
		return HandOn(s.Deed.Node)
	}
	return Watchdog
}

// Of lists the steps of one party, in their order.
func (p Pledge) Of(party Party) []Step {
	var steps []Step
	for _, step := range p.Undo {
		if step.Party() == party {
			steps = append(steps, step)
		}
	}
	return steps
}

// DoneKey is the entry of the ConfigMap in which a party says when it was done.
// Unlike Party it fits the key of a ConfigMap whatever the node is called.
func DoneKey(party Party) string { return doneBy + string(party) }

const doneBy = "undone."

// DoneBy is the party whose entry a key is, if it is one.
func DoneBy(key string) (Party, bool) {
	party, done := strings.CutPrefix(key, doneBy)
	return Party(party), done
}

// ExitUnsupported is how a process, a hand or a harness that plays one fault, says
// that a deed cannot be had where it is.
const ExitUnsupported = 4

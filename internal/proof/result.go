package proof

import (
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

// Schema is the version of Report, Matrix and Soak as they are written. Since 2 a
// result bears the digest of what was played, and a matrix counts plays.
const Schema = 2

// Report is what a proving run found: prove.json among its artefacts.
type Report struct {
	Schema      int                `json:"schema"`
	Run         string             `json:"run"`
	Seed        uint64             `json:"seed"`
	Command     string             `json:"command"`
	Started     time.Time          `json:"started"`
	Ended       time.Time          `json:"ended"`
	Environment record.Environment `json:"environment"`
	Results     []Result           `json:"results"`
}

// Result is what became of one mutant.
type Result struct {
	Mutant   string    `json:"mutant"`
	Title    string    `json:"title"`
	Scenario string    `json:"scenario"`
	Fate     fate.Fate `json:"fate"`
	Reason   string    `json:"reason,omitempty"` // why it could not be played
	Kills    []string  `json:"kills"`            // names within the scenario
	Also     []string  `json:"also,omitempty"`
	Seen     []Seen    `json:"seen,omitempty"`
	Seconds  float64   `json:"seconds"`          // it took, start to clean cluster
	Digest   string    `json:"digest,omitempty"` // of what was put into the mesh
	Run      string    `json:"run,omitempty"`
	Istio    string    `json:"istio,omitempty"`
}

// Seen is what one promise said of the mutant.
type Seen struct {
	Promise  string         `json:"promise"` // name within the scenario
	Kind     string         `json:"kind"`
	Outcome  record.Outcome `json:"outcome"`
	N        int            `json:"n"`
	Unit     string         `json:"unit,omitempty"`
	Alpha    float64        `json:"alpha,omitempty"`
	Declared string         `json:"declared,omitempty"`
	Observed string         `json:"observed,omitempty"`
	P        string         `json:"p,omitempty"`
	Detail   string         `json:"detail,omitempty"`
}

// Judge compares the verdicts of a mutant that was played with what it declares;
// failed is what kept it from being played to its end.
func (m Mutant) Judge(played catalogue.Scenario, verdicts []record.Verdict, failed error) Result {
	result := m.blank()
	var judged []fate.Judgement
	for _, verdict := range verdicts {
		seen := m.seen(played, verdict)
		result.Seen = append(result.Seen, seen)
		judged = append(judged, fate.Judgement{Name: seen.Promise, Outcome: seen.Outcome})
	}
	reason, unsupported := allUnsupported(verdicts)
	switch {
	case failed != nil:
		result.Fate, result.Reason = fate.Failed, failed.Error()
	case unsupported:
		result.Fate, result.Reason = fate.Unplayable, reason
	default:
		result.Fate = m.Expectation().Of(judged)
	}
	return result
}

// Withheld is the result of a mutant that no cluster can show.
func (m Mutant) Withheld() Result {
	result := m.blank()
	result.Fate, result.Reason = fate.Unplayable, m.Unplayable
	return result
}

func (m Mutant) blank() Result {
	return Result{Mutant: m.Name, Title: m.Title, Scenario: m.Scenario, Kills: m.Kills, Also: m.Also}
}

func (m Mutant) seen(played catalogue.Scenario, v record.Verdict) Seen {
	kind := ""
	for _, promise := range played.Promises {
		if promise.ID == v.ID {
			kind = promise.Kind
		}
	}
	detail := v.Detail
	if v.Reason != "" {
		detail = v.Reason
	}
	return Seen{
		Promise: m.within(v.ID), Kind: kind, Outcome: v.Verdict, N: v.N, Unit: v.Unit, Alpha: v.Alpha,
		Declared: v.Declared, Observed: v.Observed, P: v.P, Detail: detail,
	}
}

// allUnsupported is true if the environment lacks what every promise requires.
func allUnsupported(verdicts []record.Verdict) (reason string, all bool) {
	if len(verdicts) == 0 {
		return "", false
	}
	for _, verdict := range verdicts {
		if verdict.Verdict != record.Unsupported {
			return "", false
		}
	}
	return verdicts[0].Reason, true
}

// Fates counts what became of all of them.
func Fates(results []Result) map[fate.Fate]int {
	counts := map[fate.Fate]int{}
	for _, result := range results {
		counts[result.Fate]++
	}
	return counts
}

// Named are those of a result's promises that had to be violated.
func (r Result) Named() []Seen {
	var named []Seen
	for _, seen := range r.Seen {
		if slices.Contains(r.Kills, seen.Promise) {
			named = append(named, seen)
		}
	}
	return named
}

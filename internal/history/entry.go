// Package history keeps one line for each run in an append-only file, and reads
// trends out of it: when a measurement shifted, and which promises change their
// verdict although nothing about the mesh changed.
//
// A line is written once and never changed, so that the file merges and can lie
// in Git. Trends are for a reader, days later; package gate decides.
package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/gate"
	"github.com/wayproof/wayproof/internal/record"
)

// Schema is the version of the lines that this build writes; it reads every one
// up to it.
const Schema = 1

// Entry is one run, in one line.
type Entry struct {
	Schema   int       `json:"schema"`
	Run      string    `json:"run"`
	Started  time.Time `json:"started"`
	Seed     uint64    `json:"seed"`
	Versions Versions  `json:"versions"`
	// Verdicts and Measures are sorted by name, so that a line is stable.
	Verdicts []Outcome `json:"verdicts"`
	Measures []Measure `json:"measures"`
}

// Versions is what was under test.
type Versions struct {
	Environment string `json:"environment"`
	Istio       string `json:"istio"`
	Kubernetes  string `json:"kubernetes"`
	GatewayAPI  string `json:"gatewayApi"`
	NodeProxy   string `json:"nodeProxy"`
	Waypoint    string `json:"waypoint"`
	// Wayproof is the build that judged: a claim that was changed is no flake.
	Wayproof string `json:"wayproof,omitempty"`
}

// Outcome is the verdict of one promise.
type Outcome struct {
	Promise string         `json:"promise"`
	Verdict record.Outcome `json:"verdict"`
}

// Kinds of measure, with their units.
const (
	P99      = "p99"      // of the latency of a stage, milliseconds
	Recovery = "recovery" // of a promise of recovery, seconds
	Drops    = "drops"    // requests of a stage without a good answer, per million
)

// Measure is one number of a run.
type Measure struct {
	Kind  string  `json:"kind"`
	Of    string  `json:"of"`
	Value float64 `json:"value"`
}

// Of makes the line of a run from its record and its verdicts.
func Of(ctx context.Context, source record.Source, verdicts []record.Verdict) (Entry, error) {
	run := source.Run()
	stages, err := gate.Measure(ctx, source)
	if err != nil {
		return Entry{}, fmt.Errorf("make the history line of run %s: %w", run.ID, err)
	}
	e := run.Environment
	entry := Entry{
		Schema: Schema, Run: run.ID, Started: run.Started, Seed: run.Seed,
		Versions: Versions{
			Environment: e.Name, Istio: e.Istio, Kubernetes: e.Kubernetes,
			GatewayAPI: e.GatewayAPI, NodeProxy: e.NodeProxy, Waypoint: e.Waypoint,
			Wayproof: run.Wayproof,
		},
	}
	for _, v := range verdicts {
		entry.Verdicts = append(entry.Verdicts, Outcome{Promise: v.ID, Verdict: v.Verdict})
		if took, ok := gate.Recovery(v); ok {
			entry.Measures = append(entry.Measures, Measure{Kind: Recovery, Of: v.ID, Value: took.Seconds()})
		}
	}
	entry.Measures = append(entry.Measures, measuresOf(stages)...)
	slices.SortStableFunc(entry.Verdicts, func(a, b Outcome) int { return strings.Compare(a.Promise, b.Promise) })
	slices.SortStableFunc(entry.Measures, func(a, b Measure) int {
		return cmp.Or(strings.Compare(a.Of, b.Of), strings.Compare(a.Kind, b.Kind))
	})
	return entry, nil
}

func measuresOf(stages []gate.Measured) []Measure {
	var measures []Measure
	for _, s := range stages {
		measures = append(measures, Measure{Kind: Drops, Of: s.Stage, Value: 1e6 * float64(s.Failed) / float64(s.Requests)})
		if s.P99 > 0 {
			measures = append(measures, Measure{Kind: P99, Of: s.Stage, Value: float64(s.P99) / float64(time.Millisecond)})
		}
	}
	return measures
}

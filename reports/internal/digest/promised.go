package digest

import (
	"encoding/json"
	"slices"

	"github.com/wayproof/wayproof/internal/record"
)

// Promised is what a stage's items say about one promise, where that depends on
// the promise's own parameters. What a kind has no use for is nil.
type Promised struct {
	// Path counts the requests with and without a share's property, in intended
	// order; its arms are With and Without.
	Path *Path
	// Flow counts good and failed requests over time.
	Flow *Flow
	// Exports compares what was sampled with what the trace sink has.
	Exports *Exports
}

// Arms of Promised.Path.
const (
	With    = "with"
	Without = "without"
)

// part listens to the items of one stage on behalf of one promise.
type part interface {
	observe(o *record.Observation)
	arrive(a *record.Arrival)
	span(s *record.Span)
	end() // after the last item
}

// deaf ignores everything; parts embed it and listen to what they need.
type deaf struct{}

func (deaf) observe(*record.Observation) {}
func (deaf) arrive(*record.Arrival)      {}
func (deaf) span(*record.Span)           {}
func (deaf) end()                        {}

// newParts opens a part for each promise whose picture needs one, by the index
// of the stage that it reads. Parameters that cannot be read give no part: the
// verdict says so, and a picture is not the place to.
func newParts(run *record.Run, stages []*Stage) (parts [][]part, promised map[string]*Promised) {
	parts, promised = make([][]part, len(run.Stages)), map[string]*Promised{}
	for _, p := range run.Plan.Promises {
		if len(p.Stages) == 0 || promised[p.ID] != nil {
			continue
		}
		index, stage, found := run.StageNamed(p.Stages[0])
		if !found {
			continue
		}
		if one, listener := newPart(p, stage, stages[index]); listener != nil {
			promised[p.ID] = one
			parts[index] = append(parts[index], listener)
		}
	}
	return parts, promised
}

func newPart(p record.Promise, planned *record.Stage, seen *Stage) (*Promised, part) {
	switch p.Kind {
	case "share":
		if one := newProperty(p.Params, planned); one != nil {
			return &Promised{Path: one.path}, one
		}
	case "bound", "recovery":
		if one := newFlow(p.Params, planned, seen.Length); one != nil {
			return &Promised{Flow: one}, one
		}
	case "traces":
		one := newExports(p.Params, planned)
		return &Promised{Exports: one}, one
	}
	return nil, nil
}

// chosen tells which targets of a stage a promise reads; empty is all.
type chosen []bool

func choose(planned *record.Stage, names []string) chosen {
	if len(names) == 0 {
		return nil
	}
	out := make(chosen, len(planned.Load.Targets))
	for i, t := range planned.Load.Targets {
		out[i] = slices.Contains(names, t.Name)
	}
	return out
}

func (c chosen) has(target int) bool {
	return len(c) == 0 || target >= 0 && target < len(c) && c[target]
}

// read decodes the parameters that a part knows; those of other kinds, and
// fields that a later version adds, are left alone.
func read[T any](params []byte) (out T, ok bool) {
	return out, json.Unmarshal(params, &out) == nil
}

// flags is one byte per request, up to a bound.
type flags []uint8

func newFlags(hits int) flags { return make(flags, min(max(0, hits), requestsKept)) }

func (f flags) set(seq int, bit uint8) {
	if seq >= 0 && seq < len(f) {
		f[seq] |= bit
	}
}

package digest

import (
	"cmp"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// flowParams are those of the kinds bound and recovery that the digest needs.
type flowParams struct {
	SliceMs     int      `json:"sliceMs"`
	Connections string   `json:"connections"`
	Targets     []string `json:"targets"`
	Statuses    []int    `json:"statuses"`
}

// mostSlices bounds the slices of a flow: a longer stage has longer slices.
const mostSlices = 240

// Flow counts the requests that a promise about errors reads, by slice of
// intended time.
type Flow struct {
	deaf
	Slice        time.Duration // length of a slice
	Good, Failed []int         // by slice

	params  flowParams
	targets chosen
}

func newFlow(params []byte, planned *record.Stage, length time.Duration) *Flow {
	known, ok := read[flowParams](params)
	if !ok || known.SliceMs < 0 {
		return nil
	}
	slice := time.Duration(cmp.Or(known.SliceMs, 1000)) * time.Millisecond
	for length/slice >= mostSlices {
		slice *= 2
	}
	n := int(length/slice) + 1
	return &Flow{Slice: slice, Good: make([]int, n), Failed: make([]int, n), params: known, targets: choose(planned, known.Targets)}
}

func (f *Flow) observe(o *record.Observation) {
	if !f.targets.has(o.Target) || f.params.Connections != "" && o.Reused != (f.params.Connections == "reused") {
		return
	}
	at := min(max(0, int(o.Intended/f.Slice)), len(f.Good)-1)
	if f.failed(o) {
		f.Failed[at]++
		return
	}
	f.Good[at]++
}

// failed is what promises about errors call a failure: no answer, one that
// net/http fetched by silently sending again, or a status that is none of those
// that are wanted, 200 to 499 where none are named.
func (f *Flow) failed(o *record.Observation) bool {
	if len(f.params.Statuses) == 0 {
		return o.Failed()
	}
	return o.Class != record.ClassOK || o.Replays > 0 || !slices.Contains(f.params.Statuses, o.Status)
}

package claim

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// BoundaryParams: requests that are under way when a window begins are not cut
// before AtLeastMs of it have passed. It is the measure of a drain: how long what
// was begun may still take. Stages are the lengths of a sweep; requests that end
// of themselves, before or after, and the moment of the first cut tell where the
// boundary lies. Held needs a request that was under way for that long.
type BoundaryParams struct {
	Window    string `json:"window"`
	AtLeastMs int    `json:"atLeastMs"`
}

// boundary accumulates BoundaryParams.
type boundary struct {
	deaf
	promise record.Promise
	params  BoundaryParams
	stages  []*record.Stage
	from    []time.Duration // the window's start, by stage
	way     int             // requests under way then
	cuts    int
	first   time.Duration // of the first cut
	whole   time.Duration // how long the last one took that ended whole
	odd     oddest
}

func openBoundary(b brief) (accumulator, error) {
	params, err := paramsOf[BoundaryParams](b.promise)
	if err != nil {
		return nil, err
	}
	if params.AtLeastMs <= 0 {
		return nil, fmt.Errorf("a boundary of %d ms", params.AtLeastMs)
	}
	c := &boundary{promise: b.promise, params: params, stages: b.stages}
	for _, stage := range b.stages {
		from, _, err := ofName(brief{run: b.run, stages: []*record.Stage{stage}}, params.Window)
		if err != nil {
			return nil, err
		}
		c.from = append(c.from, from)
	}
	return c, nil
}

func (b *boundary) observe(place int, o *record.Observation) {
	from := b.from[place]
	if o.Sent >= from || o.Done <= from {
		return
	}
	b.way++
	after := o.Done - from
	if o.Class == record.ClassOK && o.Status < 500 {
		b.whole = max(b.whole, after)
		return
	}
	if b.cuts == 0 || after < b.first {
		b.first = after
	}
	b.cuts++
	b.odd.add(o.Seq, func() string { return trail(b.stages[place], o) })
}

func (b *boundary) verdict(v *record.Verdict) {
	least := time.Duration(b.params.AtLeastMs) * time.Millisecond
	v.N = b.way
	v.Declared = fmt.Sprintf("what is under way has %v", least)
	v.Allowed = fmt.Sprintf("no cut before %v", least)
	v.Observed = fmt.Sprintf("%d requests under way, %d cut", b.way, b.cuts)
	figure(v, "cut", b.cuts)
	figure(v, "whole after at most", b.whole)
	if b.cuts > 0 {
		figure(v, "first cut after", b.first)
		v.Observed += fmt.Sprintf(", the first after %v", b.first.Round(time.Millisecond))
	}
	switch {
	case b.cuts > 0 && b.first < least:
		v.FirstOdd, v.Signature = b.odd.text, "cut before the boundary"
		violated(v, "the first cut was after %v", b.first.Round(time.Millisecond))
	case max(b.first, b.whole) < least:
		inconclusive(v, record.Harness, fmt.Sprintf("no request was under way for %v", least))
	case !tooFew(v, b.promise):
		held(v, "%s", v.Observed)
	}
}

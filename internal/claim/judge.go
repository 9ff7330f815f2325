package claim

import (
	"context"

	"github.com/wayproof/wayproof/internal/record"
)

// accumulator is one claim at work: it is shown the items of the promise's
// stages (place is the index into Promise.Stages) and then asked once.
type accumulator interface {
	observe(place int, o *record.Observation)
	arrive(place int, a *record.Arrival)
	span(place int, s *record.Span)
	sample(place int, s *record.Sample)
	// verdict fills in everything but the identity of the promise. It is asked
	// only if the stages are whole and their generator was healthy.
	verdict(v *record.Verdict)
}

// deaf ignores everything; claims embed it and listen to what they need.
type deaf struct{}

func (deaf) observe(int, *record.Observation) {}
func (deaf) arrive(int, *record.Arrival)      {}
func (deaf) span(int, *record.Span)           {}
func (deaf) sample(int, *record.Sample)       {}

// Judge judges promises in one pass over the record and gives one verdict for
// each, in their order. The error, if any, is what the record's walk ended
// with; the promises that it touches are inconclusive, the others stand.
func Judge(ctx context.Context, source record.Source, promises []record.Promise) ([]record.Verdict, error) {
	p := newPanel(source.Run(), promises)
	err := source.Walk(ctx, p)
	verdicts := make([]record.Verdict, len(promises))
	for i, r := range p.readings {
		verdicts[i] = r.close(p, err)
	}
	return verdicts, err
}

// One judges a single promise.
func One(ctx context.Context, source record.Source, promise record.Promise) record.Verdict {
	verdicts, _ := Judge(ctx, source, []record.Promise{promise}) // the error is in the verdict
	return verdicts[0]
}

// panel hands each item to the readings that asked for its stage.
type panel struct {
	run        *record.Run
	readings   []*reading
	seats      [][]seat // by stage index
	attendance []*attendance
}

type seat struct {
	reading *reading
	place   int
}

func newPanel(run *record.Run, promises []record.Promise) *panel {
	p := &panel{run: run, seats: make([][]seat, len(run.Stages)), attendance: make([]*attendance, len(run.Stages))}
	for i := range run.Stages {
		p.attendance[i] = &attendance{stage: &run.Stages[i]}
	}
	for _, promise := range promises {
		r := newReading(run, promise)
		p.readings = append(p.readings, r)
		for place, index := range r.indexes {
			p.seats[index] = append(p.seats[index], seat{reading: r, place: place})
		}
	}
	return p
}

func (p *panel) at(stage int) []seat {
	if stage < 0 || stage >= len(p.seats) {
		return nil
	}
	return p.seats[stage]
}

// Observation is part of record.Sink. A request outside the plan is noted, not
// shown: claims index by Seq.
func (p *panel) Observation(o *record.Observation) error {
	seats := p.at(o.Stage)
	if len(seats) == 0 || !p.attendance[o.Stage].admit(o) {
		return nil
	}
	for _, s := range seats {
		s.reading.observe(s.place, o)
	}
	return nil
}

// Arrival is part of record.Sink.
func (p *panel) Arrival(a *record.Arrival) error {
	for _, s := range p.at(a.Stage) {
		s.reading.arrive(s.place, a)
	}
	return nil
}

// Span is part of record.Sink.
func (p *panel) Span(sp *record.Span) error {
	for _, s := range p.at(sp.Stage) {
		s.reading.span(s.place, sp)
	}
	return nil
}

// Sample is part of record.Sink.
func (p *panel) Sample(sm *record.Sample) error {
	for _, s := range p.at(sm.Stage) {
		s.reading.sample(s.place, sm)
	}
	return nil
}

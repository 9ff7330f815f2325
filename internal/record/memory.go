package record

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is a run held in memory: for tests, and for judging a stage while the
// run goes on. The zero value is an empty run. Items may be added from several
// goroutines; Walk sees those that were there when it began.
type Memory struct {
	Record Run

	mu           sync.Mutex
	observations []Observation
	arrivals     []Arrival
	spans        []Span
	samples      []Sample
}

var (
	_ Source = (*Memory)(nil)
	_ Sink   = (*Memory)(nil)
)

// Run is the run's head, shared with the caller. Its times are as they come back
// from disk: the two clocks of a time that was just taken drift apart, and a run
// is judged alike from memory and from its files.
func (m *Memory) Run() *Run {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Record.dropMonotonic()
	return &m.Record
}

// dropMonotonic leaves the wall clock's reading of what claims reckon with. What
// others hold of the slices is not written to.
func (r *Run) dropMonotonic() {
	stale := func(times ...time.Time) bool {
		return slices.ContainsFunc(times, func(t time.Time) bool { return t != t.Round(0) })
	}
	if slices.ContainsFunc(r.Stages, func(s Stage) bool { return stale(s.Base, s.Ended, s.Collected) }) {
		r.Stages = slices.Clone(r.Stages)
		for i := range r.Stages {
			s := &r.Stages[i]
			s.Base, s.Ended, s.Collected = s.Base.Round(0), s.Ended.Round(0), s.Collected.Round(0)
		}
	}
	if slices.ContainsFunc(r.Windows, func(w Window) bool { return stale(w.Start, w.End) }) {
		r.Windows = slices.Clone(r.Windows)
		for i := range r.Windows {
			w := &r.Windows[i]
			w.Start, w.End = w.Start.Round(0), w.End.Round(0)
		}
	}
}

// Observation keeps a copy of o.
func (m *Memory) Observation(o *Observation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.observations = append(m.observations, *o)
	return nil
}

// Arrival keeps a copy of a.
func (m *Memory) Arrival(a *Arrival) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := *a
	kept.At = kept.At.Round(0)
	m.arrivals = append(m.arrivals, kept)
	return nil
}

// Span keeps a copy of s.
func (m *Memory) Span(s *Span) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spans = append(m.spans, *s)
	return nil
}

// Sample keeps a copy of s.
func (m *Memory) Sample(s *Sample) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := *s
	kept.At = kept.At.Round(0)
	m.samples = append(m.samples, kept)
	return nil
}

// Walk delivers observations, then arrivals, spans and samples.
func (m *Memory) Walk(ctx context.Context, sink Sink) error {
	m.mu.Lock()
	observations, arrivals, spans, samples := m.observations, m.arrivals, m.spans, m.samples
	m.mu.Unlock()
	if err := each(ctx, observations, sink.Observation); err != nil {
		return err
	}
	if err := each(ctx, arrivals, sink.Arrival); err != nil {
		return err
	}
	if err := each(ctx, spans, sink.Span); err != nil {
		return err
	}
	return each(ctx, samples, sink.Sample)
}

// each delivers copies, so that a sink that keeps to the contract of Sink and
// one that does not leave the record alike.
func each[T any](ctx context.Context, items []T, deliver func(*T) error) error {
	for _, item := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := deliver(&item); err != nil {
			return err
		}
	}
	return nil
}

package record

import "context"

// Sink takes the items of a run one by one. Items of one stage come in the
// order in which they were collected, which is not the intended order: an
// answer that took five seconds comes after its successors. Whoever needs the
// intended order keeps what it needs by Seq.
//
// The pointed-to item belongs to the caller and is overwritten after the call:
// copy what is to be kept (the strings in it may be kept as they are). An error
// ends the walk.
type Sink interface {
	Observation(*Observation) error
	Arrival(*Arrival) error
	Span(*Span) error
	Sample(*Sample) error
}

// Source is a run that can be walked, in one pass, from its first item to its
// last. Walk returns *Incomplete after the last readable item when the record
// ends early or holds other items than its writer put there; what was
// delivered up to then stands.
type Source interface {
	Run() *Run
	Walk(context.Context, Sink) error
}

// Handlers is a Sink of functions; a nil function ignores its kind.
type Handlers struct {
	OnObservation func(*Observation) error
	OnArrival     func(*Arrival) error
	OnSpan        func(*Span) error
	OnSample      func(*Sample) error
}

// Observation hands o to OnObservation.
func (h Handlers) Observation(o *Observation) error {
	if h.OnObservation == nil {
		return nil
	}
	return h.OnObservation(o)
}

// Arrival hands a to OnArrival.
func (h Handlers) Arrival(a *Arrival) error {
	if h.OnArrival == nil {
		return nil
	}
	return h.OnArrival(a)
}

// Span hands s to OnSpan.
func (h Handlers) Span(s *Span) error {
	if h.OnSpan == nil {
		return nil
	}
	return h.OnSpan(s)
}

// Sample hands s to OnSample.
func (h Handlers) Sample(s *Sample) error {
	if h.OnSample == nil {
		return nil
	}
	return h.OnSample(s)
}

// StageNamed finds a stage of the run by its name, with its index.
func (r *Run) StageNamed(name string) (int, *Stage, bool) {
	for i := range r.Stages {
		if r.Stages[i].Name == name {
			return i, &r.Stages[i], true
		}
	}
	return 0, nil, false
}

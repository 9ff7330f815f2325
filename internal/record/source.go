package record

import "iter"

// Source gives a claim the run it judges. Streams may be walked several times
// and yield an error at most once, as their last pair; what is not there at
// all is an empty stream, which a claim must treat as no data.
//
// Observations come in intended order within a stage. Arrivals, spans and
// samples come in the order they were collected.
type Source interface {
	Run() *Run
	// Stage finds a stage by name, with its index.
	Stage(name string) (int, *Stage, bool)
	Observations(stage int) iter.Seq2[Observation, error]
	Arrivals(stage int) iter.Seq2[Arrival, error]
	Spans(stage int) iter.Seq2[Span, error]
	Samples(stage int) iter.Seq2[Sample, error]
}

package spoil

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// broken are defects of the record and of the generator, whatever the mesh did.
func broken() []Mutant {
	return slices.Concat(spoiltRecords(), spoiltGenerators(), spoiltReadings())
}

// harness is a defect in everything that holds requests. Each claim reads the
// first stage of its recording but the bound beside a shift, which reads the
// second; so both are spoilt.
func harness(name, title string, spoil func(r *Recording, stage int)) Mutant {
	return Mutant{Name: name, Title: title, Recordings: Requests(), Silences: claim.Kinds(), spoil: func(r *Recording, _ *rand.Rand) {
		for stage := range r.Head.Stages {
			spoil(r, stage)
		}
	}}
}

// request finds one observation of a stage.
func (r *Recording) request(stage, seq int) *record.Observation {
	for i := range r.Observations {
		if r.Observations[i].Stage == stage && r.Observations[i].Seq == seq {
			return &r.Observations[i]
		}
	}
	return &record.Observation{}
}

func spoiltRecords() []Mutant {
	return []Mutant{
		harness("observation-lost", "an observation is lost", func(r *Recording, stage int) {
			r.Observations = slices.DeleteFunc(r.Observations, func(o record.Observation) bool { return o.Stage == stage && o.Seq == 30 })
		}),
		harness("observation-doubled", "an observation is there twice", func(r *Recording, stage int) {
			r.Observations = append(r.Observations, *r.request(stage, 17))
		}),
		harness("observations-swapped", "two observations bear each other's number", func(r *Recording, stage int) {
			one, other := r.request(stage, 40), r.request(stage, 90)
			one.Seq, other.Seq = other.Seq, one.Seq
		}),
		harness("number-out-of-plan", "an observation is of a request that was never planned", func(r *Recording, stage int) {
			r.request(stage, 12).Seq = 1 << 30
		}),
		harness("number-negative", "an observation has a number below zero", func(r *Recording, stage int) { r.request(stage, 12).Seq = -1 }),
		harness("clock-back", "the clock steps back under a request", func(r *Recording, stage int) {
			o := r.request(stage, 50)
			o.Done = o.Sent - time.Microsecond
		}),
		harness("sent-before-its-time", "a request is sent a second before its time", func(r *Recording, stage int) {
			o := r.request(stage, 50)
			o.Sent = o.Intended - time.Second
		}),
		harness("nothing-recorded", "no observation was written", func(r *Recording, _ int) { r.Observations = nil }),
		harness("stage-missing", "the stage is not in the record", func(r *Recording, stage int) { r.Head.Stages[stage].Name = "another" }),
		harness("record-cut", "the record ends early", func(r *Recording, stage int) {
			r.End = &record.Incomplete{Stages: []int{0, stage}, Cause: errors.New("cut")}
		}),
		harness("record-unreadable", "the record cannot be read", func(r *Recording, _ int) { r.End = errors.New("input/output error") }),
	}
}

// health changes what the generator says of itself.
func health(name, title string, change func(*record.Health)) Mutant {
	return harness(name, title, func(r *Recording, stage int) { change(&r.Head.Stages[stage].Health) })
}

func spoiltGenerators() []Mutant {
	return []Mutant{
		health("lagged", "the generator lagged by a quarter of a second", func(h *record.Health) { h.LagP99 = 251 * time.Millisecond }),
		health("throttled", "the generator was throttled", func(h *record.Health) { h.Throttled = time.Millisecond }),
		health("generator-failed", "the generator failed", func(h *record.Health) { h.Error = "connection to the pod lost" }),
		health("sent-too-few", "the generator sent one request too few", func(h *record.Health) { h.Sent--; h.Completed-- }),
		health("unfinished", "a request was never completed", func(h *record.Health) { h.Completed-- }),
		health("planned-otherwise", "the generator planned another load", func(h *record.Health) { h.Planned++ }),
		harness("late-though-well", "requests were sent late, though the generator says it was on time", func(r *Recording, stage int) {
			for i := range r.Observations {
				if o := &r.Observations[i]; o.Stage == stage && o.Seq%50 == 7 {
					o.Sent, o.Done = o.Sent+260*time.Millisecond, o.Done+260*time.Millisecond
					o.First = max(o.First, o.Sent)
				}
			}
		}),
		harness("not-collected", "a pod's ledger could not be read", func(r *Recording, stage int) {
			r.Head.Stages[stage].Missing = []string{"ledger of cars-v2-x: gone"}
		}),
	}
}

// spoiltReadings are defects of the samples of the cluster.
func spoiltReadings() []Mutant {
	of := func(name, title string, spoil func(*Recording)) Mutant {
		return Mutant{Name: name, Title: title, Recordings: []string{cluster}, Silences: claim.Kinds(), spoil: func(r *Recording, _ *rand.Rand) { spoil(r) }}
	}
	return []Mutant{
		of("not-sampled", "the cluster was never looked at", func(r *Recording) { r.Samples = nil }),
		of("samples-unreadable", "what was sampled cannot be read", func(r *Recording) { r.End = errors.New("input/output error") }),
		of("samples-incomplete", "the cluster could not be read in the end", func(r *Recording) { r.Head.Stages[0].Missing = []string{"samples of the cluster: refused"} }),
		of("sampled-elsewhere", "the stage of the samples is not in the record", func(r *Recording) { r.Head.Stages[0].Name = "another" }),
	}
}

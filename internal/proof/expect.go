package proof

import (
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// What a mutant takes beside its loads, as measured on two cores
// (r1127-192933-9e7e): applying and taking away with the proof of each, a stage's
// beginning and ledgers, waypoints scaled there and back, and those of a scenario
// that wants none of others.
const (
	perScenario = 700 * time.Millisecond
	perStage    = 400 * time.Millisecond
	perScaling  = 7 * time.Second
	perBase     = 9 * time.Second // waypoints started and taken away
)

// odd is about how many requests pass until one is seen that is not as each is
// promised to be, and the load of a mutant ends.
const odd = 50

// Expect is about how long the mutant of a scenario takes to be played.
func Expect(s catalogue.Scenario) time.Duration {
	total := perScenario
	if len(s.Replicas) > 0 {
		total += perScaling
	}
	if s.Exact {
		total += perBase
	}
	for _, drive := range s.Drives {
		load := time.Duration(0)
		if drive.Load.Rate > 0 {
			load = time.Duration(float64(needed(drive, s.Promises)) / drive.Load.Rate * float64(time.Second))
		}
		if drive.Scaling != nil {
			load = drive.Scaling.Lasts
		}
		total += perStage + load + drive.Quiet + drive.Within
	}
	return total
}

// needed is how many requests the stage's promises want, most of all.
func needed(drive catalogue.Drive, promises []record.Promise) int {
	most := 0
	for _, promise := range promises {
		if slices.Contains(promise.Stages, drive.Name) {
			most = max(most, wanted(drive, promise))
		}
	}
	return min(most, drive.Load.Hits)
}

// wanted is how many one promise does: what is promised of each request is refuted
// by one, a sequential test ends at its median or before, all others want their
// whole sample.
func wanted(drive catalogue.Drive, promise record.Promise) int {
	switch {
	case slices.Contains([]string{claim.KindTable, claim.KindEvery, claim.KindAttempts}, promise.Kind):
		return odd
	case len(promise.Design) == 0, promise.Kind == claim.KindMirror, drive.Spans:
		return promise.N
	}
	most := 0
	for _, design := range promise.Design {
		most = max(most, design.Median)
	}
	return most
}

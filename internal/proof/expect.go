package proof

import (
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// What a mutant takes beside its loads, as measured on two cores: applying and
// taking away with the proof of each, a stage's beginning and ledgers, and
// waypoints scaled there and back.
const (
	perScenario = 2500 * time.Millisecond
	perStage    = time.Second
	perScaling  = 14 * time.Second
)

// Expect is about how long the mutant of a scenario takes to be played.
func Expect(s catalogue.Scenario) time.Duration {
	total := perScenario
	if len(s.Replicas) > 0 {
		total += perScaling
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

// needed is how many requests the stage's promises want: a sequential test ends
// at its median or before, all others want their whole sample.
func needed(drive catalogue.Drive, promises []record.Promise) int {
	most := 0
	for _, promise := range promises {
		if !slices.Contains(promise.Stages, drive.Name) {
			continue
		}
		wants := promise.N
		if len(promise.Design) > 0 && promise.Kind != claim.KindMirror && !drive.Spans {
			wants = 0
			for _, design := range promise.Design {
				wants = max(wants, design.Median)
			}
		}
		most = max(most, wants)
	}
	return min(most, drive.Load.Hits)
}

package catalogue

import (
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// drainMs is how long a waypoint that is told to go leaves what is under way:
// terminationDrainDuration, 5 s in Istio's template, less half a second in which
// the order reaches it.
const drainMs = 4500

// sweepUnderWay is how many requests of each length are under way at any moment.
const sweepUnderWay = 12.0

// sweep lists the lengths of requests by which a drain is measured.
func sweep() []time.Duration {
	return []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second}
}

// boundary measures the drain of a waypoint by a sweep of lengths across a
// graceful stop. The baseline is long enough that requests of every length are
// under way when it comes.
func boundary() Experiment {
	e := experiment("boundary", "how long a deleted waypoint replica leaves requests that are under way",
		ofWaypoint("kill", domainWaypoint, 40*time.Second, "grace", "30"), allowance{newPPM: -1, streamPPM: -1}).served(1)
	e.Phases.Baseline = 36 * time.Second
	e.Drives = e.Drives[:1]
	e.Promises = slices.DeleteFunc(e.Promises, func(p record.Promise) bool {
		return slices.ContainsFunc([]string{ArmPost, ArmFresh, ArmStream}, func(arm string) bool { return strings.HasPrefix(p.ID, e.ID+"/"+arm+"/") })
	})
	for _, length := range sweep() {
		name := stage(e.ID, length.String())
		load := armLoad(ArmStream)
		load.Rate, load.Timeout = sweepUnderWay/length.Seconds(), length+10*time.Second
		load.Hits = int(load.Rate * longest.Seconds())
		load.Targets[0].Header = map[string]string{"x-wayproof-stream": length.String()}
		e.Drives = append(e.Drives, Drive{Name: name, Waypoint: agencyWaypoint, Load: load})
		if length > drainMs*time.Millisecond {
			e.Promises = append(e.Promises, e.leftAlone(length))
		} else {
			e.Promises = append(e.Promises, e.endWhole(length))
		}
	}
	return e
}

// aFew resolves one in two: so few requests are under way when the replica goes.
const aFew = 500

// leftAlone promises of long requests that they are not cut before the drain is
// over. When they are cut then is told, not promised.
func (e Experiment) leftAlone(length time.Duration) record.Promise {
	p := e.promise(length.String(), "drain", "what is under way is not cut before the drain is over", chaos.WindowFault)
	p.Kind, p.Delta = claim.KindBound, aFew
	p.Params = claim.Params(claim.BoundParams{Window: chaos.WindowFault, Baseline: chaos.WindowBaseline, UnderWayMs: drainMs})
	return p
}

// endWhole promises of short requests that none fails, whenever it was sent.
func (e Experiment) endWhole(length time.Duration) record.Promise {
	p := e.promise(length.String(), "whole", "what takes less than the drain ends whole", chaos.WindowFault)
	p.Kind, p.Delta = claim.KindBound, 100
	p.Params = claim.Params(claim.BoundParams{Window: chaos.WindowFault, Baseline: chaos.WindowBaseline})
	return p
}

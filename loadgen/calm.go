package loadgen

import (
	"context"
	"os"
	"time"
)

// calmBeat is the time over which Settle looks at the machine, calmBeats how often
// it must have been calm in a row, and calmShare the share of a beat from which on
// it is not. An idle cluster of three nodes on two processors stays below 0.36; one
// whose pods are coming up or going is above 0.8, and a generator beside it fell
// 80 ms behind its schedule.
const (
	calmBeat  = 250 * time.Millisecond
	calmBeats = 3
	calmShare = 0.5
)

// Settle waits until for some beats hardly any task of the machine has waited for a
// processor, at most for within, and returns how long it waited. What it goes by
// is known before the first request: a load that it puts off is no other load.
// A kernel that keeps no such figures is taken at its silence: calm.
func Settle(ctx context.Context, within time.Duration) time.Duration {
	if within <= 0 {
		return 0
	}
	beat := time.NewTicker(calmBeat)
	defer beat.Stop()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	began := time.Now()
	settle(ctx, func() func() float64 { return starvation(os.DirFS("/proc"), time.Now) }, beat.C)
	return time.Since(began)
}

// settle measures from beat to beat.
func settle(ctx context.Context, measure func() (share func() float64), beat <-chan time.Time) {
	for row := 0; row < calmBeats; {
		share := measure()
		select {
		case <-ctx.Done():
			return
		case <-beat:
		}
		row++
		if share() >= calmShare {
			row = 0
		}
	}
}

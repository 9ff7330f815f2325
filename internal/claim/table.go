package claim

import (
	"maps"
	"slices"
)

// kind is one row of the table of claims.
type kind struct {
	open func(brief) (accumulator, error)
	// size plans the sample of a promise; see Plan.
	size func(*planning) error
	// load says that the claim reads requests, so that the generator's health is
	// a precondition; spends that it can be false-alarmed, so it needs alpha.
	load, spends bool
	gaps         bool // requests that the generator skipped by plan do not matter
	timed        bool // about time: a request that was sent late tells something else
	tells        bool // while its one stage runs, whether it has seen enough: a settler
	stages       int  // how many stages the promise must name, 1 if 0
}

// kinds is the table of all claims. A kind that is not here does not exist.
func kinds() map[string]kind {
	return map[string]kind{
		KindSplit:        {open: openSplit, size: sizeSplit, load: true, tells: true, spends: true},
		KindIndependence: {open: openIndependence, size: sizeIndependence, load: true, spends: true},
		KindShare:        {open: openShare, size: sizeShare, load: true, tells: true, spends: true},
		KindEvery:        {open: openEvery, size: sizeZero, load: true, tells: true},
		KindTable:        {open: openTable, size: sizeTable, load: true, tells: true},
		KindMirror:       {open: openMirror, size: sizeMirror, load: true, spends: true},
		KindLatency:      {open: openLatency, size: sizeLatency, load: true, tells: true, timed: true, spends: true},
		KindShift:        {open: openShift, size: sizeShift, load: true, tells: true, timed: true, spends: true, stages: 2},
		KindAttempts:     {open: openAttempts, size: sizeZero, load: true, tells: true},
		KindBalance:      {open: openBalance, size: sizeBalance, load: true, tells: true, spends: true},
		KindServing:      {open: openServing, size: sizeServing, load: true, tells: true},
		KindSeries:       {open: openSeries, size: sizeNothing},
		KindRows:         {open: openRows, size: sizeNothing},
		KindBound:        {open: openBound, size: sizeBound, load: true, spends: true, gaps: true},
		KindRecovery:     {open: openRecovery, size: sizeNothing, load: true, gaps: true},
		KindTraces:       {open: openTraces, size: sizeZero, load: true},
	}
}

// Kinds lists the kinds of claim there are, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds())) }

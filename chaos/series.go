package chaos

// Series of samples that faults measure by themselves while they are injected.
const (
	// SeriesFirst and SeriesEdge are status codes of the Eviction API: of the pod
	// that may go, and of the next one asked for in the same breath.
	SeriesFirst = "eviction/first"
	SeriesEdge  = "eviction/edge"
	// SeriesGranted and SeriesRefused count the answers that a drain got.
	SeriesGranted = "drain/granted"
	SeriesRefused = "drain/refused"
	// SeriesBlocker is 1 with the name of a budget that allows no disruption
	// although every pod is healthy: it blocks drains for ever.
	SeriesBlocker = "drain/blocker"
	// SeriesRotations counts how often a waypoint's certificate was replaced: of the
	// replica that had it replaced least.
	SeriesRotations = "certificates/rotations"
)

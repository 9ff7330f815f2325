package proof

// Spared are the promises without a mutant of their own, and why. Each kind of
// claim has mutants all the same, and a promise that is neither here nor named
// by a mutant fails the tests.
func Spared() map[string]string {
	return map[string]string{
		"task3/tracing-0/whole": "nothing is sampled there, so nothing can be lost; the same claim is killed at 50 and at 100 %",
		"task8/hpa/cpu":         "says that the load was enough to need a third replica: of the load, nothing of the mesh",
	}
}

// Owed are the mutants and the promises, by name and by id, of which the
// committed matrix cannot show what it should, and why: a mutant that was not
// killed each time it was played, a promise that killed none or that a sound mesh
// was not seen to keep. What is owed no more fails the tests as well.
func Owed() map[string]string {
	const (
		noRetry = "a HTTPRoute of the standard channel has no field retry: the promise is unsupported on this cluster"
		busy    = "in each play the load generator was 22 ms late at p99, beyond the 10 ms at which a shift of latency is blamed on the mesh; to be played on a machine with more processors"
	)
	return map[string]string{
		"mirror-slow-waited-for":    busy,
		"task7/mirror-slow/latency": busy,
		"faults/delay/size":         "in the last run of a sound mesh undelayed requests were late as well: the tail was the machine's",
		"retries/httproute/twice":   noRetry,
		"retries/httproute/spent":   noRetry,
		"retries/httproute/after":   noRetry,
	}
}

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
	return map[string]string{
		"hpa-always":             "in one play it was watched for 3 s, less than the autoscaler's own round of 15 s, which has to come for the waypoint to have two replicas again",
		"mirror-slow-waited-for": "its first four plays were inconclusive, for the machine's tail hid it; since latency is compared by calm requests (2026-11-27) it was killed each time",
		"split-backend-port":     "one play was inconclusive, for an answer of no version had to come by 32 connections to count; a single one contradicts the split now",
	}
}

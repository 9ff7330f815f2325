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

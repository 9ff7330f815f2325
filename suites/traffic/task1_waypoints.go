package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 1: waypoints", Serial, Ordered, ContinueOnFailure, Label("task1"), func() {
	itProves("task1")
})

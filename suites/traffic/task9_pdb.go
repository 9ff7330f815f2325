package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 9: disruption budget of the waypoint", Serial, Ordered, ContinueOnFailure, Label("task9"), func() {
	itProves("task9")
})

package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 8: autoscaling of the waypoint", Serial, Ordered, ContinueOnFailure, Label("task8"), func() {
	itProves("task8")
})

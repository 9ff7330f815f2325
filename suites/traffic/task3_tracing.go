package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 3: tracing", Serial, Ordered, ContinueOnFailure, Label("task3"), func() {
	itProves("task3")
})

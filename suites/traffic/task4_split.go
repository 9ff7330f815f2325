package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 4: traffic splitting", Serial, Ordered, ContinueOnFailure, Label("task4"), func() {
	itProves("task4")
})

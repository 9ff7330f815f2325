package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 2: enrolment", Serial, Ordered, ContinueOnFailure, Label("task2"), func() {
	itProves("task2")
})

package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 5: traffic redirect", Serial, Ordered, ContinueOnFailure, Label("task5"), func() {
	itProves("task5")
})

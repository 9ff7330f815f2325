package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 6: traffic rewrite", Serial, Ordered, ContinueOnFailure, Label("task6"), func() {
	itProves("task6")
})

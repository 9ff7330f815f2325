package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Task 7: traffic mirroring", Serial, Ordered, ContinueOnFailure, Label("task7"), func() {
	itProves("task7")
})

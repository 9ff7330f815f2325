package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Capability: retries", Serial, Ordered, ContinueOnFailure, Label("retries"), func() {
	itProves("retries")
})

package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Capability: fault injection", Serial, Ordered, ContinueOnFailure, Label("faults"), func() {
	itProves("faults")
})

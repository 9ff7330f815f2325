package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Capability: balancing by the node proxy", Serial, Ordered, ContinueOnFailure, Label("l4"), func() {
	itProves("l4")
})

package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Capability: header-based routing", Serial, Ordered, ContinueOnFailure, Label("headers"), func() {
	itProves("headers")
})

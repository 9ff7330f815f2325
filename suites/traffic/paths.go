package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Capability: path-based routing", Serial, Ordered, ContinueOnFailure, Label("paths"), func() {
	itProves("paths")
})

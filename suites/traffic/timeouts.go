package traffic

import . "github.com/onsi/ginkgo/v2"

var _ = Describe("Capability: timeouts", Serial, Ordered, ContinueOnFailure, Label("timeouts"), func() {
	itProves("timeouts")
})

// Package nodeproxy holds the specs that judge a node proxy on a real cluster,
// be it ztunnel or what stands in for it: what it says it knows, whose traffic
// it captures and lets through, what it costs, what it leaves behind, and how
// one hands over to the next. They look at it only from outside, so they
// cannot tell which one runs.
//
// What the proxy does with bytes and messages that nobody sends on a healthy
// cluster is for its own tests.
package nodeproxy

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/ready"
	"github.com/wayproof/wayproof/internal/scene"
)

// Name is the label that every spec of this suite carries.
const Name = "nodeproxy"

// Bench is the mesh to judge on.
type Bench struct {
	Cluster  *kube.Cluster
	Owner    kube.Owner
	Scene    *scene.Scene // brings the travel demo
	Gate     *ready.Gate
	Agent    string // reference of the agent image on the nodes
	Istioctl string // the program
}

// within bounds what Kubernetes and the mesh need to follow a change.
const within = time.Minute

// Register adds the specs to those that run in this process.
func Register(bench *Bench) {
	Describe("Node proxy", Serial, Ordered, ContinueOnFailure, Label(Name), func() {
		bed := &bed{Bench: bench}
		BeforeAll(func(ctx SpecContext) { bed.lay(ctx) }, NodeTimeout(5*time.Minute))
		itShowsWhatItKnows(bed)
		itFindsTheWay(bed)
		itGuards(bed)
		itLasts(bed)
		itHandsOver(bed)
		itLeaksNothing(bed)
	})
}

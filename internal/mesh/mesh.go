// Package mesh is the port between wayproof and what it tests: the small
// interface that every environment offers, and the extra abilities that only
// some have, each an interface of one method found by type assertion.
package mesh

import (
	"context"

	"github.com/wayproof/wayproof/internal/record"
)

// Environment is a mesh that can be brought up, described and taken down.
// Every environment ends in a kubeconfig.
type Environment interface {
	// Name is "kind" or "existing".
	Name() string
	// Up makes the environment ready, creating or completing whatever is
	// missing. On a healthy environment it only checks, within seconds.
	Up(ctx context.Context, progress Progress) error
	// Down removes what Up made, and only that.
	Down(ctx context.Context, progress Progress) error
	// Kubeconfig is the path of the file that reaches the cluster.
	Kubeconfig() string
	// Context is the entry of that file that names the cluster; empty means the
	// file's current one.
	Context() string
	// Describe reads versions, node proxy and image sources off the cluster.
	Describe(ctx context.Context) (record.Environment, error)
}

// AgentImager is an environment that knows the reference of the agent image
// on its nodes (fixtures, load workers and sinks run from it).
type AgentImager interface {
	AgentImage() string
}

// EchoLoader is an environment that makes Istio's echo and gives it to its nodes,
// for Gateway API's own suite; the reference is what it is called there.
type EchoLoader interface {
	LoadEcho(ctx context.Context, progress Progress) (string, error)
}

// Progress shows a reader what is going on while it goes on.
type Progress interface {
	// Step announces work that takes longer than a blink; the returned
	// function ends it, with its error if it failed.
	Step(name string) func(err error)
	// Note says one thing that a reader should know.
	Note(format string, args ...any)
}

// Detailer is a Progress that can say more of the step under way while it lasts.
type Detailer interface {
	// Detail replaces what was said before; it is shown only where a reader may
	// be watching.
	Detail(text string)
}

package scene

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

// owed is the proof that is due before the next load: of whom something was
// changed that they have not acknowledged yet. One proof pays for all changes
// before it, so it is put off until a load needs it.
type owed struct {
	waypoints   map[string]bool // namespaces
	nodeProxies bool
	connections bool // those that the demo's own callers keep are of before the change
}

// owe notes that something was changed of which the scenario's proxies must know.
func (s *Scene) owe(scenario catalogue.Scenario) {
	if s.owed.waypoints == nil {
		s.owed.waypoints = map[string]bool{}
	}
	for _, namespace := range scenario.Waypoints {
		s.owed.waypoints[namespace] = true
	}
	s.owed.nodeProxies = s.owed.nodeProxies || scenario.NodeProxies
}

// pay waits until everything that was named has acknowledged what was changed, and
// has the demo's callers open new connections.
func (s *Scene) pay(ctx context.Context) error {
	if s.owed.nodeProxies {
		if err := s.nodesProven(ctx); err != nil {
			return err
		}
	}
	if err := s.proof(ctx, slices.Sorted(maps.Keys(s.owed.waypoints))); err != nil {
		return err
	}
	return s.reconnected(ctx)
}

// waive drops what is owed by waypoints that went themselves: they have nothing to
// know any more.
func (s *Scene) waive(gone []kube.Manifest) {
	for _, m := range gone {
		if m.Object.GetKind() == "Gateway" {
			delete(s.owed.waypoints, m.Object.GetNamespace())
		}
	}
}

// proof waits until every waypoint pod of the namespaces acknowledged a push
// that was made after everything applied so far.
func (s *Scene) proof(ctx context.Context, namespaces []string) error {
	if len(namespaces) == 0 {
		return nil
	}
	if err := s.gate.Waypoints(ctx, namespaces...); err != nil {
		return err
	}
	for _, namespace := range namespaces {
		delete(s.owed.waypoints, namespace)
	}
	s.owed.connections = true
	s.event("ready", strings.Join(namespaces, ", "), "every waypoint acknowledged a push made after the change")
	return nil
}

// nodesProven is the same of every node proxy.
func (s *Scene) nodesProven(ctx context.Context) error {
	if err := s.gate.NodeProxies(ctx); err != nil {
		return err
	}
	s.owed.nodeProxies, s.owed.connections = false, true
	return nil
}

//go:build linux

// Package deed does on a node what a fault needs there, and undoes it: stop
// processes of a pod, put packet rules into a pod's network namespace, hold its
// packets up, burn CPU. It runs in a privileged pod that sees the node's processes; the node's
// own nft and nsenter are used, since the agent's image has no programs.
//
// It knows nothing of Kubernetes: a pod is the UID in its control group's name.
package deed

import (
	"context"
	"errors"
	"fmt"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// ErrUnsupported is a node that cannot do it: no nft, no kernel support.
var ErrUnsupported = errors.New("unsupported on this node")

// Node is where deeds are done.
type Node struct {
	Proc string // "/proc"
	Root string // the node's own file system: "/proc/1/root"
	Self string // this program, to burn with
}

// Do carries out a deed and returns evidence that it took effect.
func (n Node) Do(ctx context.Context, d pledge.Deed) (string, error) {
	switch d.Kind {
	case pledge.Stop:
		return n.stop(d)
	case pledge.Kill:
		return n.kill(d)
	case pledge.Rules:
		return n.rules(ctx, d)
	case pledge.Burn:
		return n.burn(ctx, d)
	case pledge.Delay:
		return n.delay(ctx, d)
	}
	return "", fmt.Errorf("no deed of kind %q", d.Kind)
}

// Undo takes a deed back; one that was never done is no error.
func (n Node) Undo(ctx context.Context, d pledge.Deed) (string, error) {
	switch d.Kind {
	case pledge.Stop:
		return n.resume(d)
	case pledge.Kill:
		return "nothing to undo: what was killed is started again by who started it", nil
	case pledge.Rules:
		return n.unrule(ctx, d)
	case pledge.Burn:
		return n.douse(d)
	case pledge.Delay:
		return n.undelay(ctx, d)
	}
	return "", fmt.Errorf("no deed of kind %q", d.Kind)
}

// Look says what of a deed is there now.
func (n Node) Look(ctx context.Context, d pledge.Deed) (string, error) {
	switch d.Kind {
	case pledge.Stop, pledge.Kill:
		found, err := n.processes(d)
		return states(found), err
	case pledge.Rules:
		return n.ruleset(ctx, d)
	case pledge.Burn:
		return n.burnt(d.Name)
	case pledge.Delay:
		return n.delaying(ctx, d)
	}
	return "", fmt.Errorf("no deed of kind %q", d.Kind)
}

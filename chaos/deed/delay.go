//go:build linux

package deed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// delayed is the interface of a pod whose packets are held up.
const delayed = "eth0"

// delay holds every packet that leaves the pod: by netem where the kernel has
// it, else by a queue to a process of ours.
func (n Node) delay(ctx context.Context, d pledge.Deed) (string, error) {
	_, err := n.tc(ctx, d.Pod, "qdisc", "replace", "dev", delayed, "root", "netem", "delay", fmt.Sprintf("%dms", d.For.Milliseconds()))
	if errors.Is(err, ErrUnsupported) {
		err = n.queue(ctx, d)
	}
	if err != nil {
		return "", err
	}
	return n.delaying(ctx, d)
}

// undelay takes away both ways of delaying, whichever was used.
func (n Node) undelay(ctx context.Context, d pledge.Deed) (string, error) {
	look, err := n.tc(ctx, d.Pod, "qdisc", "show", "dev", delayed)
	if err == nil && strings.Contains(look, "netem") {
		_, err = n.tc(ctx, d.Pod, "qdisc", "del", "dev", delayed, "root")
	}
	if errors.Is(err, errGone) || errors.Is(err, ErrUnsupported) {
		err = nil // the pod took its packets along, or there never was a netem; the process ends all the same
	}
	if err = errors.Join(err, n.unqueue(ctx, d)); err != nil {
		return "", err
	}
	return "no delay", nil
}

// delaying is how packets wait to leave the pod.
func (n Node) delaying(ctx context.Context, d pledge.Deed) (string, error) {
	look, err := n.tc(ctx, d.Pod, "qdisc", "show", "dev", delayed)
	if err == nil && strings.Contains(look, "netem") {
		return look, nil
	}
	if err != nil && !errors.Is(err, ErrUnsupported) {
		return "", err
	}
	return n.queued(d)
}

// tcPath is the node's program for queues of packets.
const tcPath = "/usr/sbin/tc"

// tc runs it. A kernel without netem, or a node without tc, is unsupported.
func (n Node) tc(ctx context.Context, uid string, args ...string) (string, error) {
	out, err := n.inPod(ctx, uid, append([]string{tcPath}, args...)...)
	if err != nil && strings.Contains(err.Error(), "qdisc kind is unknown") {
		return "", fmt.Errorf("%w: the kernel has no netem", ErrUnsupported)
	}
	return out, err
}

// inPod runs a program of the node in the network namespace of a pod.
func (n Node) inPod(ctx context.Context, uid string, argv ...string) (string, error) {
	pid, err := n.anyOf(uid)
	if err != nil {
		return "", err
	}
	out, err := n.enter(ctx, pid, "", argv...)
	return strings.TrimSpace(out), err
}

// anyOf is a living process of a pod, by which its namespaces are entered.
func (n Node) anyOf(uid string) (int, error) {
	found, err := n.ofPod(uid)
	if err != nil {
		return 0, err
	}
	for _, one := range found {
		if one.state != "Z" {
			return one.pid, nil
		}
	}
	return 0, fmt.Errorf("pod %s: %w", uid, errGone)
}

package post

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// Hand has the hand on the deed's node do, undo or look at it, and returns what
// it says. A node that cannot do it is a *chaos.Unsupported.
func (p *Post) Hand(ctx context.Context, act string, d pledge.Deed) (string, error) {
	order, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("write deed: %w", err)
	}
	return p.tell(ctx, d.Node, act, string(order))
}

// Leftovers asks every hand what of deeds is on its node, by node.
func (p *Post) Leftovers(ctx context.Context) (map[string][]string, error) {
	nodes, err := p.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string][]string{}
	for _, node := range nodes {
		text, err := p.tell(ctx, node, "leftovers")
		if err != nil {
			return nil, err
		}
		found[node] = lines(text)
	}
	return found, nil
}

func (p *Post) tell(ctx context.Context, node string, words ...string) (string, error) {
	hand, err := p.on(ctx, node)
	if err != nil {
		return "", err
	}
	var out, complaint bytes.Buffer
	command := kube.Command{Pod: hand, Argv: append([]string{"/agent", "hand"}, words...)}
	err = p.cluster.Exec(ctx, command, kube.Streams{Out: &out, Err: &complaint})
	said := strings.TrimSpace(complaint.String())
	var exited *kube.ExitError
	if errors.As(err, &exited) && exited.Code == pledge.ExitUnsupported {
		return "", &chaos.Unsupported{Reason: said}
	}
	if err != nil {
		return "", fmt.Errorf("hand on node %s: %w: %s", node, err, said)
	}
	return strings.TrimSpace(out.String()), nil
}

// on finds the hand of a node.
func (p *Post) on(ctx context.Context, node string) (kube.Ref, error) {
	pods, err := p.cluster.PodsBy(ctx, pledge.Namespace, "app=hand")
	if err != nil {
		return kube.Ref{}, err
	}
	for i := range pods {
		if pods[i].Spec.NodeName == node && kube.Ready(&pods[i]) {
			return kube.Ref{Namespace: pods[i].Namespace, Name: pods[i].Name}, nil
		}
	}
	return kube.Ref{}, fmt.Errorf("node %s has no ready hand", node)
}

// Nodes lists the nodes that are to have a hand. One that has none that is ready
// is an error: nothing is known of it.
func (p *Post) Nodes(ctx context.Context) ([]string, error) {
	wanted, err := p.cluster.Set().AppsV1().DaemonSets(pledge.Namespace).Get(ctx, "hand", metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get daemon set %s/hand: %w", pledge.Namespace, err)
	}
	pods, err := p.cluster.PodsBy(ctx, pledge.Namespace, "app=hand")
	if err != nil {
		return nil, err
	}
	return handed(pods, int(wanted.Status.DesiredNumberScheduled))
}

// handed lists the nodes of the ready ones of hands, of which there must be so many.
func handed(pods []corev1.Pod, wanted int) ([]string, error) {
	var names []string
	for i := range pods {
		if kube.Ready(&pods[i]) {
			names = append(names, pods[i].Spec.NodeName)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) < wanted || wanted == 0 {
		return nil, fmt.Errorf("%d of %d nodes have a ready hand: %v", len(names), wanted, names)
	}
	return names, nil
}

// lines splits output, without empty lines.
func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
}

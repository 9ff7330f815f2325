package scene

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/fault"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

// witness counts, inside backend pods and for as long as a fault lasts, the
// packets that arrive by the mesh's tunnel and those that arrive from other pods
// in plain text. It is a fault's wrapping: placed before the fault is injected,
// read before it is undone, and taken away by the same pledge.
type witness struct {
	*fault.Injection

	station *post.Post
	deeds   []pledge.Deed
	tell    func(series string, value float64, text string)
	lacking func(reason string)
}

// tunnelPort is where tunnels end in a captured pod; plainPort is where a node
// proxy takes what came without one.
const (
	tunnelPort = 15008
	plainPort  = 15006
	appPort    = 8000
)

// witness prepares to count at the pods that answer the arms.
func (s *show) witness(ctx context.Context, injection *fault.Injection) (*witness, error) {
	pods, err := s.scene.cluster.PodsBy(ctx, "travel-agency", "app=cars")
	if err != nil {
		return nil, err
	}
	from, err := s.scene.podNetworks(ctx)
	if err != nil {
		return nil, err
	}
	lacking := func(reason string) { s.scene.lack(catalogue.WitnessAbility(s.experiment.ID), reason) }
	w := &witness{Injection: injection, station: s.station, tell: s.reading, lacking: lacking}
	for i := range pods {
		if kube.Ready(&pods[i]) && from != "" {
			w.deeds = append(w.deeds, witnessAt(&pods[i], from))
		}
	}
	if len(w.deeds) == 0 {
		w.lacking("no pod, or no range of pod addresses, to count packets by")
	}
	return w, nil
}

func witnessAt(pod *corev1.Pod, from string) pledge.Deed {
	return pledge.Deed{
		Node: pod.Spec.NodeName, Kind: pledge.Rules, Pod: string(pod.UID), Name: "wayproof_witness",
		Rules: []pledge.Rule{
			{Hook: "input", Text: fmt.Sprintf("tcp dport %d counter", tunnelPort)},
			{Hook: "input", Text: fmt.Sprintf(`iifname "eth0" tcp dport { %d, %d } %s counter`, appPort, plainPort, from)},
		},
	}
}

// podNetworks matches what other pods send: the nodes' pod ranges, without the
// first address of each, by which a node itself probes its pods. It is "" where
// nodes have no ranges.
func (s *Scene) podNetworks(ctx context.Context) (string, error) {
	nodes, err := s.cluster.Set().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", fmt.Errorf("list nodes: %w", err)
	}
	var ranges, own []string
	for _, node := range nodes.Items {
		prefix, err := netip.ParsePrefix(node.Spec.PodCIDR)
		if err != nil || !prefix.Addr().Is4() {
			continue
		}
		ranges, own = append(ranges, prefix.String()), append(own, prefix.Masked().Addr().Next().String())
	}
	if len(ranges) == 0 {
		return "", nil
	}
	return fmt.Sprintf("ip saddr { %s } ip saddr != { %s }", strings.Join(ranges, ", "), strings.Join(own, ", ")), nil
}

// undo are the steps that take the counters away, for the fault's pledge.
func (w *witness) undo() []pledge.Step {
	var steps []pledge.Step
	for i := range w.deeds {
		steps = append(steps, pledge.Step{Say: "take the packet counters away on node " + w.deeds[i].Node, Deed: &w.deeds[i]})
	}
	return steps
}

// Inject is part of chaos.Fault.
func (w *witness) Inject(ctx context.Context) error {
	for _, d := range w.deeds {
		_, err := w.station.Hand(ctx, "do", d)
		if unsupported, ok := errors.AsType[*chaos.Unsupported](err); ok {
			w.lacking(unsupported.Reason)
			w.deeds = nil
			break
		}
		if err != nil {
			return fmt.Errorf("place the packet counters: %w", err)
		}
	}
	return w.Injection.Inject(ctx)
}

// Recover is part of chaos.Fault.
func (w *witness) Recover(ctx context.Context) error {
	w.read(ctx)
	return w.Injection.Recover(ctx)
}

// read notes what was counted since the injection. A pod that the fault replaced
// took its counters along; the others still speak. One that lacks a rule says
// nothing of what it would have met.
func (w *witness) read(ctx context.Context) {
	plain, tunnel, read := 0, 0, 0
	for _, d := range w.deeds {
		look, err := w.station.Hand(ctx, "look", d)
		if err != nil {
			continue
		}
		t, tunnelled := countedAt(look, strconv.Itoa(tunnelPort))
		p, plainly := countedAt(look, "{ "+strconv.Itoa(appPort)+", "+strconv.Itoa(plainPort)+" }")
		if tunnelled && plainly {
			plain, tunnel, read = plain+p, tunnel+t, read+1
		}
	}
	if read == 0 {
		return
	}
	text := fmt.Sprintf("at %d of %d pods", read, len(w.deeds))
	w.tell(catalogue.SeriesPlain, float64(plain), text)
	w.tell(catalogue.SeriesTunnel, float64(tunnel), text)
}

// countedAt finds how many packets the rule about a port has met, if there is one.
func countedAt(look, port string) (packets int, found bool) {
	pattern := regexp.MustCompile(`dport ` + regexp.QuoteMeta(port) + ` [^;]*?counter packets ([0-9]+)`)
	match := pattern.FindStringSubmatch(look)
	if match == nil {
		return 0, false
	}
	n, err := strconv.Atoi(match[1])
	return n, err == nil
}

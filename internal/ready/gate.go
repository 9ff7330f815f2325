package ready

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/kube"
)

// Rounds is how many pushes after the markers a proxy must have been sent; the
// package comment says why four.
const Rounds = 4

// look is the pause between two readings of istiod: a reading costs it a
// millisecond, a push takes it a hundred.
const look = 40 * time.Millisecond

// Gate proves readiness on one cluster. Its calls must not overlap.
type Gate struct {
	// Owner makes the markers; Sweep of its run removes them.
	Owner kube.Owner
	// Control is istiod's namespace; istio-system if empty.
	Control string
	// Labels make the markers' namespace visible to istiod; those of the
	// workshop's discovery selector if nil.
	Labels map[string]string
	// Within bounds one proof; a minute if zero.
	Within time.Duration

	cluster *kube.Cluster
	markers *markers
}

// NewGate makes a gate for a cluster.
func NewGate(cluster *kube.Cluster, owner kube.Owner) *Gate {
	return &Gate{
		Owner: owner, Control: ambient.NamespaceIstio, Within: time.Minute,
		Labels:  map[string]string{ambient.DiscoveryLabel: ambient.DiscoveryEnabled},
		cluster: cluster,
	}
}

// Waypoints returns when every waypoint pod of the namespaces has acknowledged
// a push that istiod made after this call began. No waypoint at all is an
// error; so is a refusal (*Rejected). Pods on their way out are not waited for.
func (g *Gate) Waypoints(ctx context.Context, namespaces ...string) error {
	return g.prove(ctx, proof{
		what: "waypoints", watched: listeners, tick: "Telemetry",
		pods: func(ctx context.Context) ([]corev1.Pod, error) { return g.waypointPods(ctx, namespaces) },
	})
}

// NodeProxies does the same for every ztunnel: enrolment, addresses and
// endpoints as of this call.
func (g *Gate) NodeProxies(ctx context.Context) error {
	return g.prove(ctx, proof{what: "node proxies", watched: addresses, tick: "Service", pods: g.nodePods})
}

// proof is what Waypoints and NodeProxies differ in.
type proof struct {
	what    string
	watched string // the type of resource that every push brings
	tick    string // the kind of marker that makes istiod push it
	pods    func(context.Context) ([]corev1.Pod, error)
}

func (g *Gate) prove(ctx context.Context, p proof) error {
	ctx, cancel := context.WithTimeout(ctx, g.Within)
	defer cancel()
	istiods, err := dial(ctx, g.cluster, g.Control)
	if err != nil {
		return fmt.Errorf("prove readiness of %s: %w", p.what, err)
	}
	defer istiods.close()
	run := attempt{gate: g, proof: p, istiods: istiods, tally: newTally(p.watched), began: time.Now()}
	if err := run.all(ctx); err != nil {
		return fmt.Errorf("prove readiness of %s: %w", p.what, err)
	}
	return nil
}

// settle makes the markers' namespace once.
func (g *Gate) settle(ctx context.Context) error {
	if g.markers != nil {
		return nil
	}
	m := &markers{cluster: g.cluster, owner: g.Owner, labels: g.Labels}
	if err := m.settle(ctx); err != nil {
		return err
	}
	g.markers = m
	return nil
}

func (g *Gate) waypointPods(ctx context.Context, namespaces []string) ([]corev1.Pod, error) {
	var all []corev1.Pod
	for _, namespace := range namespaces {
		pods, err := g.cluster.PodsBy(ctx, namespace, "gateway.istio.io/managed=istio.io-mesh-controller")
		if err != nil {
			return nil, err
		}
		all = append(all, pods...)
	}
	return all, nil
}

func (g *Gate) nodePods(ctx context.Context) ([]corev1.Pod, error) {
	set, err := ambient.FindZtunnel(ctx, g.cluster)
	if err != nil {
		return nil, err
	}
	return g.cluster.PodsWith(ctx, set.Namespace, set.Spec.Selector.MatchLabels)
}

// ids are the pods as istiod names them, without those that are leaving.
func ids(pods []corev1.Pod) []string {
	var names []string
	for i := range pods {
		if pods[i].DeletionTimestamp == nil && pods[i].Status.Phase != corev1.PodFailed && pods[i].Status.Phase != corev1.PodSucceeded {
			names = append(names, pods[i].Name+"."+pods[i].Namespace)
		}
	}
	return names
}

var errNone = errors.New("there are none")

package existing

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/gatewayapi"
	"github.com/wayproof/wayproof/internal/kube"
)

// The oldest versions with everything that the suites use: ambient waypoints
// as generally available, and the mirror's percent as a standard field.
const (
	oldestKubernetes = "1.29.0"
	oldestIstio      = "1.26.0"
	oldestGatewayAPI = "1.2.0"
)

// notOlder judges a version against the oldest that will do. One that cannot be
// read (a development build) is given the benefit of the doubt, and shown.
func notOlder(check, have, oldest, remedy string) Finding {
	parsed, err := version.ParseGeneric(have)
	if err != nil {
		return good(check, Everything, "%s (not a release version; %s or newer is needed)", have, oldest)
	}
	if parsed.LessThan(version.MustParseGeneric(oldest)) {
		return bad(check, Everything, fmt.Sprintf("%s is older than %s", have, oldest), remedy)
	}
	return good(check, Everything, "%s", have)
}

func kubernetesVersion(_ context.Context, p patient) []Finding {
	return []Finding{notOlder("kubernetes", p.cluster.Version(), oldestKubernetes, "upgrade the cluster")}
}

const installGatewayAPI = "install the standard channel of the Gateway API (on OpenShift 4.19 and later the platform brings it)"

func gatewayAPI(ctx context.Context, p patient) []Finding {
	const name = "httproutes.gateway.networking.k8s.io"
	crd, err := p.cluster.Read(ctx, kube.KindCRD, kube.Ref{Name: name})
	if err != nil {
		return []Finding{unknown("gateway api", err)}
	}
	if crd == nil {
		return []Finding{bad("gateway api", Everything, "no definition "+name, installGatewayAPI)}
	}
	notes := crd.GetAnnotations()
	return []Finding{
		notOlder("gateway api", notes["gateway.networking.k8s.io/bundle-version"], oldestGatewayAPI, installGatewayAPI),
		channel(notes["gateway.networking.k8s.io/channel"]),
	}
}

func channel(name string) Finding {
	if name == string(gatewayapi.Experimental) {
		return good("gateway api channel", retryClaims, "%s", name)
	}
	return bad("gateway api channel", retryClaims, fmt.Sprintf("%q has no retry field", name),
		"install the experimental channel if retries by HTTPRoute shall be judged; otherwise they are reported as unsupported")
}

func istioVersion(ctx context.Context, p patient) []Finding {
	described, err := ambient.Describe(ctx, p.cluster)
	if err != nil {
		return []Finding{bad("istio", Everything, err.Error(), "install Istio in ambient mode in namespace "+ambient.NamespaceIstio)}
	}
	return []Finding{
		notOlder("istio", described.Istio, oldestIstio, "upgrade Istio"),
		good("waypoint proxy", Everything, "%s", described.Waypoint),
	}
}

func nodeProxy(ctx context.Context, p patient) []Finding {
	set, err := ambient.FindZtunnel(ctx, p.cluster)
	if err != nil {
		return []Finding{bad("node proxy", Everything, err.Error(), "install ztunnel (its chart, or the ZTunnel resource of the operator)")}
	}
	return []Finding{daemonSet(ctx, p, "node proxy", kube.Ref{Namespace: set.Namespace, Name: set.Name})}
}

func cniPlugin(ctx context.Context, p patient) []Finding {
	list, err := p.cluster.Set().AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{LabelSelector: "k8s-app=istio-cni-node"})
	if err != nil {
		return []Finding{unknown("istio-cni", err)}
	}
	if len(list.Items) == 0 {
		return []Finding{bad("istio-cni", Everything, "no DaemonSet istio-cni-node", "install istio-cni with ambient mode enabled (its chart, or the IstioCNI resource of the operator)")}
	}
	return []Finding{daemonSet(ctx, p, "istio-cni", kube.Ref{Namespace: list.Items[0].Namespace, Name: list.Items[0].Name})}
}

func daemonSet(ctx context.Context, p patient, check string, ref kube.Ref) Finding {
	object, err := p.cluster.Read(ctx, kube.KindDaemonSet, ref)
	if err != nil {
		return unknown(check, err)
	}
	if object == nil {
		return bad(check, Everything, "DaemonSet "+ref.String()+" went away", "look again")
	}
	ok, state := kube.RolledOut(object)
	if !ok {
		return bad(check, Everything, ref.String()+": "+state, "kubectl -n "+ref.Namespace+" describe daemonset "+ref.Name)
	}
	return good(check, Everything, "%s: %s", ref, state)
}

func metricsAPI(ctx context.Context, p patient) []Finding {
	if err := p.cluster.MetricsServed(ctx); err != nil {
		return []Finding{bad("metrics api", scalingTasks, err.Error(), "install metrics-server (on OpenShift: see why the monitoring stack does not serve metrics.k8s.io)")}
	}
	return []Finding{good("metrics api", scalingTasks, "serves figures of nodes")}
}

// PushAgent is how the agent's image gets where a cluster can pull it.
const PushAgent = "wayproof images push REGISTRY/wayproof-agent:TAG"

func agentImage(_ context.Context, p patient) []Finding {
	if p.options.AgentImage == "" {
		return []Finding{bad("agent image", Everything, "not named", "push it with: "+PushAgent+" and name it with --agent-image REGISTRY/wayproof-agent:TAG")}
	}
	return []Finding{good("agent image", Everything, "%s", p.options.AgentImage)}
}

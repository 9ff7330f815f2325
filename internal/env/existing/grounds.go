package existing

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/wayproof/wayproof/internal/kube"
)

// namespaces looks at those that the suites want to use.
func namespaces(ctx context.Context, p patient) []Finding {
	var findings []Finding
	for _, name := range p.options.Namespaces {
		live, err := p.cluster.Read(ctx, kube.KindNamespace, kube.Ref{Name: name})
		if err != nil {
			findings = append(findings, unknown("namespace "+name, err))
			continue
		}
		findings = append(findings, namespaceFinding(name, live, p.options.Adopt))
	}
	return findings
}

func namespaceFinding(name string, live *unstructured.Unstructured, adopt bool) Finding {
	check := "namespace " + name
	switch {
	case live == nil:
		return good(check, Everything, "free")
	case live.GetDeletionTimestamp() != nil:
		return bad(check, Everything, "is being deleted", "wait until it is gone")
	case kube.Ours(live.GetLabels()):
		return good(check, Everything, "left by run %s", live.GetLabels()[kube.LabelRun])
	case adopt:
		return good(check, Everything, "exists, and may be adopted")
	default:
		return bad(check, Everything, "exists and was not made by wayproof", "allow it with --adopt, or remove it")
	}
}

// leftover is a policy of an old edition of the workshop. With a waypoint in
// front its L4 rule sees the waypoint's identity and denies everything.
var leftover = kube.Subject{
	Kind: schema.GroupVersionKind{Group: "security.istio.io", Version: "v1", Kind: "AuthorizationPolicy"},
	Ref:  kube.Ref{Namespace: "travel-agency", Name: "travel-api-portals-allow"},
}

func leftovers(ctx context.Context, p patient) []Finding {
	const check = "left-over policies"
	live, err := p.cluster.Read(ctx, leftover.Kind, leftover.Ref)
	if meta.IsNoMatchError(err) {
		return nil // istio's own check says that it is missing
	}
	if err != nil {
		return []Finding{unknown(check, err)}
	}
	if live != nil {
		return []Finding{bad(check, Everything, leftover.String()+" denies whatever comes through a waypoint",
			fmt.Sprintf("kubectl -n %s delete authorizationpolicy %s", leftover.Ref.Namespace, leftover.Ref.Name))}
	}
	return []Finding{good(check, Everything, "none")}
}

var (
	openShiftNetwork = schema.GroupVersionKind{Group: "operator.openshift.io", Version: "v1", Kind: "Network"}
	openShiftSCC     = schema.GroupVersionKind{Group: "security.openshift.io", Version: "v1", Kind: "SecurityContextConstraints"}
)

// openShift looks at what only OpenShift has; elsewhere it finds nothing.
func openShift(ctx context.Context, p patient) []Finding {
	constraint, err := p.cluster.Read(ctx, openShiftSCC, kube.Ref{Name: "nonroot-v2"})
	if meta.IsNoMatchError(err) {
		return nil
	}
	findings := []Finding{constraintFinding(constraint, err, p.options.Namespaces)}
	network, err := p.cluster.Read(ctx, openShiftNetwork, kube.Ref{Name: "cluster"})
	if meta.IsNoMatchError(err) {
		return findings
	}
	return append(findings, networkFinding(network, err))
}

// fixedUsers are pods that run under a fixed user that is not root, which the
// default constraint of OpenShift does not admit.
const fixedUsers = "pods under a fixed user, unless a role grants it"

// constraintFinding is about fixedUsers. A grant by role, which is how most
// clusters do it, stands in no constraint, and asking for other users' rights is
// itself a right that few have: what is not seen here is a note, not the end.
func constraintFinding(constraint *unstructured.Unstructured, err error, namespaces []string) Finding {
	const check = "openshift security context constraints"
	var grants []string
	for _, namespace := range namespaces {
		grants = append(grants, "oc adm policy add-scc-to-group nonroot-v2 system:serviceaccounts:"+namespace)
	}
	remedy := strings.Join(grants, " && ")
	switch {
	case err != nil:
		return bad(check, fixedUsers, err.Error(), remedy)
	case constraint == nil:
		return bad(check, Everything, "there is no nonroot-v2", "use a cluster of OpenShift 4.11 or later")
	}
	groups, _, _ := unstructured.NestedStringSlice(constraint.Object, "groups")
	granted := map[string]bool{}
	for _, group := range groups {
		granted[group] = true
	}
	for _, namespace := range namespaces {
		if !granted["system:serviceaccounts:"+namespace] && !granted["system:serviceaccounts"] && !granted["system:authenticated"] {
			return bad(check, fixedUsers, "nonroot-v2 is not granted by group to the service accounts of "+namespace+" (a grant by role cannot be seen here)", remedy)
		}
	}
	return good(check, Everything, "nonroot-v2 is granted")
}

// networkFinding: with OVN-Kubernetes, ambient mode needs the host's routing,
// else the kubelet's probes do not reach captured pods.
func networkFinding(network *unstructured.Unstructured, err error) Finding {
	const check = "openshift network"
	if err != nil || network == nil {
		return bad(check, "probes of captured pods", fmt.Sprintf("network operator's settings cannot be read: %v", err), "ask an administrator whether routingViaHost is on")
	}
	kind, _, _ := unstructured.NestedString(network.Object, "spec", "defaultNetwork", "type")
	viaHost, _, _ := unstructured.NestedBool(network.Object, "spec", "defaultNetwork", "ovnKubernetesConfig", "gatewayConfig", "routingViaHost")
	if kind == "OVNKubernetes" && !viaHost {
		return bad(check, Everything, "OVN-Kubernetes without routingViaHost",
			`oc patch networks.operator.openshift.io cluster --type=merge -p '{"spec":{"defaultNetwork":{"ovnKubernetesConfig":{"gatewayConfig":{"routingViaHost":true}}}}}'`)
	}
	return good(check, Everything, "%s", kind)
}

package existing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// right is a set of verbs on resources of one group, in all namespaces.
type right struct {
	group     string
	resources string // blank-separated, with /subresource
	verbs     string // blank-separated
	needed    string
}

// demands is everything that a run does to a cluster.
func demands() []right {
	const write = "get list create patch delete"
	return []right{
		{"", "namespaces services serviceaccounts configmaps secrets", write, Everything},
		{"", "pods", "get list create patch delete", Everything},
		{"", "pods/exec pods/portforward", "get create", Everything}, // a websocket begins with a GET
		{"", "pods/log", "get", Everything},
		{"", "pods/proxy", "get delete", Everything},
		{"", "nodes", "list", Everything},
		{"", "pods/eviction", "create", scalingTasks},
		{"apps", "deployments", write, Everything},
		{"apps", "daemonsets", "get list", Everything},
		{"autoscaling", "horizontalpodautoscalers", write, scalingTasks},
		{"policy", "poddisruptionbudgets", write, scalingTasks},
		{"metrics.k8s.io", "pods nodes", "get list", scalingTasks},
		{"gateway.networking.k8s.io", "gateways httproutes", write, Everything},
		{"networking.istio.io", "virtualservices destinationrules", write, Everything},
		{"telemetry.istio.io", "telemetries", write, Everything},
		{"security.istio.io", "authorizationpolicies", "get", Everything}, // the preflight looks for a left-over one
		{"apiextensions.k8s.io", "customresourcedefinitions", "get", Everything},
	}
}

// rights asks the API server, verb by verb, what the user may do. Where even
// the asking fails, that is the finding.
func rights(ctx context.Context, p patient) []Finding {
	lacking := map[string][]string{} // needed → what
	count := 0
	for _, demand := range demands() {
		for _, question := range demand.questions() {
			count++
			allowed, err := p.may(ctx, question)
			if err != nil {
				return []Finding{unknown("rights", err)}
			}
			if !allowed {
				lacking[demand.needed] = append(lacking[demand.needed], describe(question))
			}
		}
	}
	return rightsFindings(lacking, count)
}

func rightsFindings(lacking map[string][]string, count int) []Finding {
	if len(lacking) == 0 {
		return []Finding{good("rights", Everything, "all %d that a run uses", count)}
	}
	var findings []Finding
	for _, needed := range []string{Everything, scalingTasks} {
		if len(lacking[needed]) == 0 {
			continue
		}
		slices.Sort(lacking[needed])
		findings = append(findings, bad("rights", needed, "you may not "+strings.Join(lacking[needed], ", "),
			"have the ClusterRole under deploy/ bound to you, or use a cluster administrator's kubeconfig (on OpenShift, creating namespaces takes more than self-provisioning projects)"))
	}
	return findings
}

func (r right) questions() []authorizationv1.ResourceAttributes {
	var all []authorizationv1.ResourceAttributes
	for resource := range strings.FieldsSeq(r.resources) {
		name, sub, _ := strings.Cut(resource, "/")
		for verb := range strings.FieldsSeq(r.verbs) {
			all = append(all, authorizationv1.ResourceAttributes{Group: r.group, Resource: name, Subresource: sub, Verb: verb})
		}
	}
	return all
}

func describe(question authorizationv1.ResourceAttributes) string {
	resource := question.Resource
	if question.Subresource != "" {
		resource += "/" + question.Subresource
	}
	if question.Group != "" {
		resource += "." + question.Group
	}
	return question.Verb + " " + resource
}

func (p patient) may(ctx context.Context, question authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &question}}
	answer, err := p.cluster.Set().AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask whether you may %s: %w", describe(question), err)
	}
	return answer.Status.Allowed, nil
}

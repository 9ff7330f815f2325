package nodeproxy

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/e2e-framework/klient/k8s"

	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/kube"
)

// manifests are the bed's objects, namespaces first.
func (b *bed) manifests() ([]kube.Manifest, error) {
	seen := map[string]string{ambient.DiscoveryLabel: ambient.DiscoveryEnabled}
	captured := map[string]string{ambient.DiscoveryLabel: ambient.DiscoveryEnabled, "istio.io/dataplane-mode": "ambient"}
	objects := []k8s.Object{
		namespace(inside, captured), namespace(outside, seen), namespace(unseen, nil),
		account("client"), account("stranger"),
		b.client(inside, "client"), b.client(inside, "stranger"), b.client(outside, ""),
		b.watch(),
	}
	for _, name := range []string{inside, outside} {
		objects = append(objects, service(name, "server"), b.server(name, "server", 1))
	}
	objects = append(objects, service(unseen, "server"), service(inside, visitors), b.server(inside, visitors, 0))
	return kube.Typed("suites/nodeproxy", objects...)
}

// visitors come and go.
const visitors = "visitors"

func namespace(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

func account(name string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: inside, Name: name}}
}

func service(namespace, app string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: app},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": app},
			Ports:    []corev1.ServicePort{{Name: "http", Port: link.HTTPPort}, {Name: "tcp-echo", Port: link.EchoPort}},
		},
	}
}

// client is a pod that waits for commands, on the near node. Outside the mesh
// it needs no identity.
func (b *bed) client(namespace, identity string) *appsv1.Deployment {
	app := "client"
	if identity != "" {
		app = identity
	}
	pod := b.template(app, "idle")
	pod.Spec.ServiceAccountName = identity
	pod.Spec.NodeSelector = map[string]string{corev1.LabelHostname: b.near}
	return deployment(kube.Ref{Namespace: namespace, Name: app}, 1, pod)
}

func (b *bed) server(namespace, app string, replicas int32) *appsv1.Deployment {
	pod := b.template(app, "link", "serve")
	if app != visitors {
		pod.Spec.NodeSelector = map[string]string{corev1.LabelHostname: b.far}
	}
	pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(link.HTTPPort)}},
		PeriodSeconds: 2,
	}
	return deployment(kube.Ref{Namespace: namespace, Name: app}, replicas, pod)
}

func deployment(ref kube.Ref, replicas int32, pod corev1.PodTemplateSpec) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.Name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: pod.Labels}, Template: pod,
		},
	}
}

// watch looks at each node: in the node's own network, at its processes, as
// root. It is the only pod of the bed with any right.
func (b *bed) watch() *appsv1.DaemonSet {
	pod := b.template("watch", "idle")
	root, privileged := int64(0), true
	pod.Spec.HostNetwork, pod.Spec.HostPID = true, true
	pod.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{RunAsUser: &root, Privileged: &privileged}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: outside, Name: "watch"},
		Spec:       appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: pod.Labels}, Template: pod},
	}
}

// template is a pod of the agent without any right.
func (b *bed) template(app string, args ...string) corev1.PodTemplateSpec {
	grace, no, yes := int64(1), false, true
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{
				Name: app, Image: b.Agent, ImagePullPolicy: corev1.PullIfNotPresent, Args: args,
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceCPU: resource.MustParse("1m"), corev1.ResourceMemory: resource.MustParse("8Mi"),
				}},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes, ReadOnlyRootFilesystem: &yes,
					Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
					SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				},
			}},
		},
	}
}

// principal is how policies name an identity inside.
func principal(account string) string {
	return fmt.Sprintf("cluster.local/ns/%s/sa/%s", inside, account)
}

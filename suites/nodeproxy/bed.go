package nodeproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/kube"
)

// Namespaces of the bed.
const (
	inside  = "wayproof-link"    // captured
	outside = "wayproof-outside" // known to istiod, not captured
	unseen  = "wayproof-unseen"  // without istio-discovery
)

// bed is what the specs work with: a server and clients inside and outside the
// mesh, on nodes that are as far apart as the cluster allows, and on every node
// a pod that looks at it.
type bed struct {
	*Bench
	near, far string // nodes of the clients and of the servers
	namespace string // of the node proxy
}

// lay makes the bed and waits until it can be used.
func (b *bed) lay(ctx context.Context) {
	Expect(b.place(ctx)).To(Succeed())
	manifests, err := b.manifests()
	Expect(err).NotTo(HaveOccurred())
	_, err = b.Cluster.Apply(ctx, b.Owner, manifests)
	Expect(err).NotTo(HaveOccurred())
	for _, manifest := range manifests {
		ref := kube.Ref{Namespace: manifest.Object.GetNamespace(), Name: manifest.Object.GetName()}
		switch manifest.Object.GetKind() {
		case "Deployment":
			Expect(b.Cluster.AwaitDeployment(ctx, ref, within)).To(Succeed())
		case "DaemonSet":
			Expect(b.Cluster.AwaitDaemonSet(ctx, ref, within)).To(Succeed())
		}
	}
	Expect(b.Gate.NodeProxies(ctx)).To(Succeed())
}

// place picks the nodes.
func (b *bed) place(ctx context.Context) error {
	set, err := ambient.FindZtunnel(ctx, b.Cluster)
	if err != nil {
		return err
	}
	b.namespace = set.Namespace
	nodes, err := b.Cluster.Set().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	var usable []string
	for _, node := range nodes.Items {
		if !node.Spec.Unschedulable && len(node.Spec.Taints) == 0 {
			usable = append(usable, node.Name)
		}
	}
	if len(usable) == 0 {
		return fmt.Errorf("none of %d nodes takes pods", len(nodes.Items))
	}
	b.near, b.far = slices.Min(usable), slices.Max(usable)
	return nil
}

// pod is the one that runs of an application.
func (b *bed) pod(ctx context.Context, namespace, app string) (corev1.Pod, error) {
	return b.podOn(ctx, kube.Ref{Namespace: namespace, Name: app}, "")
}

// podOn is the application's pod on a node, any if empty.
func (b *bed) podOn(ctx context.Context, app kube.Ref, node string) (corev1.Pod, error) {
	pods, err := b.Cluster.PodsBy(ctx, app.Namespace, "app="+app.Name)
	if err != nil {
		return corev1.Pod{}, err
	}
	for _, pod := range pods {
		if kube.Ready(&pod) && (node == "" || pod.Spec.NodeName == node) {
			return pod, nil
		}
	}
	return corev1.Pod{}, fmt.Errorf("no ready pod of %s (of %d)", app, len(pods))
}

// ask asks from an application's pod.
func (b *bed) ask(ctx context.Context, from kube.Ref, q link.Question) (link.Answers, error) {
	var answers link.Answers
	return answers, b.inPod(ctx, from, q.Argv(), &answers)
}

// inPod runs the agent in an application's pod and reads what it prints.
func (b *bed) inPod(ctx context.Context, app kube.Ref, argv []string, result any) error {
	pod, err := b.podOn(ctx, app, "")
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := b.exec(ctx, pod, argv, kube.Streams{Out: &out}); err != nil {
		return err
	}
	if err := json.Unmarshal(out.Bytes(), result); err != nil {
		return fmt.Errorf("read result of %q in %s: %w", argv, app, err)
	}
	return nil
}

// exec runs a command; what it complains about becomes part of the error.
func (b *bed) exec(ctx context.Context, pod corev1.Pod, argv []string, streams kube.Streams) error {
	var complaint bytes.Buffer
	streams.Err = &complaint
	ref := kube.Ref{Namespace: pod.Namespace, Name: pod.Name}
	if err := b.Cluster.Exec(ctx, kube.Command{Pod: ref, Argv: argv}, streams); err != nil {
		return fmt.Errorf("%w: %s", err, complaint.String())
	}
	return nil
}

// apply puts YAML there and returns what takes it away again, which happens at
// the latest when the spec is over, however it ends. Taking it away twice is the
// same as once.
func (b *bed) apply(ctx context.Context, yaml string) func(context.Context) {
	manifests, err := kube.Decode("suites/nodeproxy", io.Reader(bytes.NewBufferString(yaml)))
	Expect(err).NotTo(HaveOccurred())
	lifted := false
	lift := func(ctx context.Context) {
		if !lifted {
			Expect(b.Cluster.Delete(ctx, b.Owner, manifests)).To(Succeed())
			lifted = true
		}
	}
	DeferCleanup(lift, NodeTimeout(within))
	_, err = b.Cluster.Apply(ctx, b.Owner, manifests)
	Expect(err).NotTo(HaveOccurred())
	return lift
}

func caller(namespace string) kube.Ref { return kube.Ref{Namespace: namespace, Name: "client"} }

// stranger is inside the mesh under an identity of its own.
func stranger() kube.Ref { return kube.Ref{Namespace: inside, Name: "stranger"} }

// serverURL is the server's Service in a namespace.
func serverURL(namespace string) string {
	return fmt.Sprintf("http://server.%s:%d/", namespace, link.HTTPPort)
}

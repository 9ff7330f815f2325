package nodeproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/cmd/agent/node"
	"github.com/wayproof/wayproof/internal/kube"
)

// Pods come and go in waves, a hundred and more in all.
const (
	waves = 5
	wave  = 24
)

// spare is what a proxy may hold beyond what it held before, for reasons of its
// own. A leak of one for each pod of a node would be five times that.
const spare = 10

// program is the name under which node proxies run, whichever they are.
const program = "ztunnel"

// holding is what the proxy of one node holds.
type holding struct{ pid, files, namespaces, threads, goroutines int }

func (h holding) String() string {
	return fmt.Sprintf("process %d: %d descriptors, %d namespaces, %d threads, %d goroutines", h.pid, h.files, h.namespaces, h.threads, h.goroutines)
}

// itLeaksNothing is about what is left of pods that are gone.
func itLeaksNothing(b *bed) {
	Describe("when pods have come and gone", func() {
		It(fmt.Sprintf("holds nothing more than before, after %d of them", waves*wave), func(ctx SpecContext) {
			b.comeAndGo(ctx, wave) // what is only made once is made now, threads for a whole wave too
			before, err := b.holdings(ctx)
			Expect(err).NotTo(HaveOccurred())
			for range waves {
				b.comeAndGo(ctx, wave)
			}
			AddReportEntry("before", before)
			Expect(before[b.near].namespaces).To(BeNumerically(">=", 2), "the clients of %s, or nothing is measured", b.near)
			Eventually(ctx, func(ctx context.Context) (string, error) {
				after, err := b.holdings(ctx)
				return grown(before, after), err
			}).WithTimeout(within).WithPolling(time.Second).Should(BeEmpty())
			after, err := b.holdings(ctx)
			Expect(err).NotTo(HaveOccurred())
			AddReportEntry("after", after)
		}, NodeTimeout(15*within))
	})
}

// grown says in words what is more than before. A proxy that is gone, or another
// process than before, has nothing to be compared with.
func grown(before, after map[string]holding) string {
	var words []string
	for name := range before {
		if _, ok := after[name]; !ok {
			words = append(words, name+": no proxy any more")
		}
	}
	for name, now := range after {
		then := before[name]
		if now.pid != then.pid || now.namespaces > then.namespaces || now.files > then.files+spare || now.goroutines > then.goroutines+spare || now.threads > then.threads+spare {
			words = append(words, fmt.Sprintf("%s: %s, before: %s", name, now, then))
		}
	}
	slices.Sort(words)
	return strings.Join(words, "; ")
}

// comeAndGo starts visitors, has every one asked, and ends them again.
func (b *bed) comeAndGo(ctx context.Context, count int) {
	GinkgoHelper()
	b.visit(ctx, count)
	q := link.Question{
		URL: fmt.Sprintf("http://%s.%s:%d/", visitors, inside, link.HTTPPort), Connections: 4 * count, Requests: 2, Timeout: 30 * time.Second,
	}
	answers, err := b.ask(ctx, caller(inside), q)
	Expect(err).NotTo(HaveOccurred())
	Expect(answers.Failed).To(BeZero(), "%v", answers.Errors)
	b.visit(ctx, 0)
}

// visit has exactly that many visitors there.
func (b *bed) visit(ctx context.Context, count int) {
	GinkgoHelper()
	ref := kube.Ref{Namespace: inside, Name: visitors}
	set := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.Name}}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, count))
	Expect(b.Cluster.Objects().Patch(ctx, set, patch)).To(Succeed())
	if count > 0 {
		Expect(b.Cluster.AwaitDeployment(ctx, ref, 3*within)).To(Succeed())
		Expect(b.Gate.NodeProxies(ctx)).To(Succeed())
		return
	}
	Eventually(ctx, func(ctx context.Context) (int, error) {
		pods, err := b.Cluster.PodsBy(ctx, inside, "app="+visitors)
		return len(pods), err
	}).WithTimeout(3 * within).WithPolling(time.Second).Should(BeZero())
}

// holdings looks at every node's proxy, by the names of the nodes.
func (b *bed) holdings(ctx context.Context) (map[string]holding, error) {
	pods, err := b.Cluster.PodsBy(ctx, b.namespace, "app=ztunnel")
	if err != nil {
		return nil, err
	}
	all := map[string]holding{}
	for _, pod := range pods {
		found, err := b.held(ctx, pod.Spec.NodeName)
		if err != nil {
			return nil, err
		}
		held := holding{pid: found.PID, files: found.Files, namespaces: found.Namespaces, threads: found.Threads}
		if b.Scene.Run().Environment.HasStandIn() { // a program in Go, under ztunnel's name
			if held.goroutines, err = b.goroutines(ctx, kube.Ref{Namespace: pod.Namespace, Name: pod.Name}); err != nil {
				return nil, err
			}
		}
		all[pod.Spec.NodeName] = held
	}
	return all, nil
}

// held counts through the node's /proc, which serves any program alike.
func (b *bed) held(ctx context.Context, name string) (node.Handles, error) {
	pod, err := b.podOn(ctx, kube.Ref{Namespace: outside, Name: "watch"}, name)
	if err != nil {
		return node.Handles{}, err
	}
	var out bytes.Buffer
	argv := []string{"/agent", "node", "handles", "--program", program}
	if err := b.exec(ctx, pod, argv, kube.Streams{Out: &out}); err != nil {
		return node.Handles{}, err
	}
	var found []node.Handles
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		return node.Handles{}, fmt.Errorf("read what the node proxy of %s holds: %w", name, err)
	}
	if len(found) != 1 {
		return node.Handles{}, fmt.Errorf("%d node proxies run on %s", len(found), name)
	}
	return found[0], nil
}

// goroutines asks a program in Go for its own count.
func (b *bed) goroutines(ctx context.Context, pod kube.Ref) (int, error) {
	metrics, err := b.Cluster.ProxyGet(ctx, kube.Port{Pod: pod, Number: 15020}, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(metrics)) {
		if value, ok := strings.CutPrefix(line, "go_goroutines "); ok {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, fmt.Errorf("%s does not say how many goroutines it has", pod)
}

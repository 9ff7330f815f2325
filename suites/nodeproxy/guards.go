package nodeproxy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/cmd/agent/node"
	"github.com/wayproof/wayproof/internal/kube"
)

// itGuards is about secrecy, and about who may.
func itGuards(b *bed) {
	Describe("between pods", func() {
		It("shows a node no plaintext of what captured pods send", func(ctx SpecContext) {
			sight, secret, control := b.overheard(ctx)
			AddReportEntry("packets seen", fmt.Sprintf("%d, of them HBONE %d, with the captured pair's mark %d, with the other pair's %d, dropped %d",
				sight.Packets, sight.Tunnel, sight.Seen[secret], sight.Seen[control], sight.Dropped))
			Expect(sight.Dropped).To(BeZero())
			Expect(sight.Seen[control]).To(BeNumerically(">=", 20), "what an uncaptured pair sends must be seen, or nothing is proven")
			Expect(sight.Seen[secret]).To(BeZero())
			Expect(sight.Tunnel).To(BeNumerically(">", 0))
		}, NodeTimeout(within))

		It("refuses who is outside the mesh under STRICT, and only then", func(ctx SpecContext) {
			b.expect(ctx, caller(outside), serverURL(inside), true)
			lift := b.apply(ctx, strict)
			b.expect(ctx, caller(outside), serverURL(inside), false)
			b.expect(ctx, caller(inside), serverURL(inside), true)
			lift(ctx)
			b.expect(ctx, caller(outside), serverURL(inside), true)
		}, NodeTimeout(3*within))

		It("captures a pod by its own label, and lets go of it without", func(ctx SpecContext) {
			b.apply(ctx, strict)
			b.expect(ctx, caller(outside), serverURL(inside), false)
			DeferCleanup(b.label, `null`, NodeTimeout(within))
			b.label(ctx, `"ambient"`)
			b.expect(ctx, caller(outside), serverURL(inside), true)
			b.label(ctx, `null`)
			b.expect(ctx, caller(outside), serverURL(inside), false)
		}, NodeTimeout(4*within))

		It("lets in whom an ALLOW policy names, and nobody else", func(ctx SpecContext) {
			b.expect(ctx, stranger(), serverURL(inside), true)
			lift := b.apply(ctx, allowClient())
			b.expect(ctx, stranger(), serverURL(inside), false)
			b.expect(ctx, caller(outside), serverURL(inside), false)
			b.expect(ctx, caller(inside), serverURL(inside), true)
			lift(ctx)
			b.expect(ctx, stranger(), serverURL(inside), true)
		}, NodeTimeout(3*within))

		It("keeps out whom a DENY policy names, from the port it names", func(ctx SpecContext) {
			b.expect(ctx, caller(inside), serverURL(inside), true)
			lift := b.apply(ctx, denyClient())
			b.expect(ctx, caller(inside), serverURL(inside), false)
			b.expect(ctx, stranger(), serverURL(inside), true)
			watch := link.Watch{Address: echoAddress(), Held: 1, Beat: 100 * time.Millisecond, For: time.Second}
			var series link.Series
			Expect(b.inPod(ctx, caller(inside), watch.Argv(), &series)).To(Succeed())
			Expect(series.Failures).To(BeEmpty(), "the other port is open")
			lift(ctx)
			b.expect(ctx, caller(inside), serverURL(inside), true)
		}, NodeTimeout(3*within))
	})
}

// label gives the uncaptured client's pod a data plane of its own, in JSON; its
// namespace has none.
func (b *bed) label(ctx context.Context, mode string) {
	GinkgoHelper()
	pod, err := b.pod(ctx, outside, "client")
	Expect(err).NotTo(HaveOccurred())
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"labels":{"istio.io/dataplane-mode":%s}}}`, mode))
	Expect(b.Cluster.Objects().Patch(ctx, &pod, patch)).To(Succeed())
}

// echoAddress is the echo port of the server's Service inside.
func echoAddress() string { return fmt.Sprintf("server.%s:%d", inside, link.EchoPort) }

// expect waits until requests get through, or none does, and then has twenty
// connections agree.
func (b *bed) expect(ctx context.Context, from kube.Ref, url string, through bool) {
	GinkgoHelper()
	one := link.Question{URL: url, Connections: 1, Requests: 1, Timeout: 5 * time.Second}
	twenty := link.Question{URL: url, Connections: 20, Requests: 1, Timeout: 5 * time.Second}
	failed := map[bool]int{true: 0, false: 1}[through]
	Eventually(ctx, func(ctx context.Context) (int, error) {
		answers, err := b.ask(ctx, from, one)
		return answers.Failed, err
	}).WithTimeout(within).Should(Equal(failed), "%s to %s", from, url)
	answers, err := b.ask(ctx, from, twenty)
	Expect(err).NotTo(HaveOccurred())
	Expect(answers.Failed).To(Equal(20*failed), "%s to %s: %v", from, url, answers.Errors)
	AddReportEntry(fmt.Sprintf("%s to %s", from, url), fmt.Sprintf("%d answered, %d refused %v", answers.Requests, answers.Failed, answers.Errors))
}

// overheard has a captured and an uncaptured pair send marked bodies, while
// the clients' node listens on all its interfaces.
func (b *bed) overheard(ctx context.Context) (sight node.Sight, secret, control string) {
	now := time.Now().UnixNano()
	secret, control = fmt.Sprintf("captured-%d", now), fmt.Sprintf("in-clear-%d", now)
	input, stop := io.Pipe()
	output, out := io.Pipe()
	pod, err := b.podOn(ctx, kube.Ref{Namespace: outside, Name: "watch"}, b.near)
	Expect(err).NotTo(HaveOccurred())
	go func() {
		err := b.exec(ctx, pod, []string{"/agent", "node", "sniff", "--marker", secret + "," + control}, kube.Streams{In: input, Out: out})
		_ = out.CloseWithError(err) // the reader gets it; nil is the end
	}()
	lines := bufio.NewReader(output)
	first, err := lines.ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	Expect(strings.TrimSpace(first)).To(Equal(node.Listening))
	for from, mark := range map[string]string{inside: secret, outside: control} {
		q := few(serverURL(from))
		q.Body = mark
		answers, err := b.ask(ctx, caller(from), q)
		Expect(err).NotTo(HaveOccurred())
		Expect(answers.Requests).To(Equal(20), "%v", answers.Errors)
	}
	Expect(stop.Close()).To(Succeed())
	Expect(json.NewDecoder(lines).Decode(&sight)).To(Succeed())
	return sight, secret, control
}

const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: ` + inside + `}
spec:
  mtls: {mode: STRICT}
`

func allowClient() string {
	return fmt.Sprintf(`
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow-client, namespace: %s}
spec:
  selector: {matchLabels: {app: server}}
  action: ALLOW
  rules:
  - from:
    - source: {principals: [%q]}
`, inside, principal("client"))
}

func denyClient() string {
	return fmt.Sprintf(`
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-client, namespace: %s}
spec:
  selector: {matchLabels: {app: server}}
  action: DENY
  rules:
  - from:
    - source: {principals: [%q]}
    to:
    - operation: {ports: ["%d"]}
`, inside, principal("client"), link.HTTPPort)
}

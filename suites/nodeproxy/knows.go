package nodeproxy

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/internal/catalogue"
)

// row is a line of istioctl's table of services.
type row struct{ namespace, name, vip, waypoint, endpoints string }

// itShowsWhatItKnows reads the proxy's own view with Istio's tool.
func itShowsWhatItKnows(b *bed) {
	Describe("as istioctl shows it", func() {
		It("has the workshop's table of services and waypoints", func(ctx SpecContext) {
			Expect(b.Scene.Bring(ctx, catalogue.Enrolled)).To(Succeed())
			want, err := b.workshop(ctx)
			Expect(err).NotTo(HaveOccurred())
			Eventually(ctx, b.table).WithTimeout(within).Should(ContainElements(want))
			text, err := b.istioctl(ctx)
			Expect(err).NotTo(HaveOccurred())
			AddReportEntry("istioctl ztunnel-config service", "\n"+text)
		}, NodeTimeout(4*within))

		It("has no namespace without istio-discovery", func(ctx SpecContext) {
			rows, err := b.table(ctx)
			Expect(err).NotTo(HaveOccurred())
			var namespaces []string
			for _, row := range rows {
				if row.name == "server" {
					namespaces = append(namespaces, row.namespace)
				}
			}
			Expect(namespaces).To(ConsistOf(inside, outside), "server is a Service of %s too", unseen)
		}, NodeTimeout(within))
	})
}

// workshop is the table of the workshop's page, with this cluster's addresses.
// The sidecar namespace that the page has too is no part of the demo here.
func (b *bed) workshop(ctx context.Context) ([]row, error) {
	names := map[string]string{
		"travel-agency":  "cars discounts flights hotels insurances mysqldb travels waypoint-travel-agency",
		"travel-control": "control travel-control-waypoint travel-gateway-istio",
		"travel-portal":  "travels viaggi voyages waypoint-travel-portal",
	}
	waypoints := map[string]string{
		"travel-agency": "waypoint-travel-agency", "travel-control": "travel-control-waypoint", "travel-portal": "waypoint-travel-portal",
	}
	var rows []row
	for namespace, list := range names {
		for name := range strings.FieldsSeq(list) {
			service, err := b.Cluster.Set().CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return nil, fmt.Errorf("look at service %s/%s: %w", namespace, name, err)
			}
			waypoint := waypoints[namespace]
			if name == waypoint {
				waypoint = "None"
			}
			rows = append(rows, row{namespace, name, service.Spec.ClusterIP, waypoint, "1/1"})
		}
	}
	return rows, nil
}

// istioctl runs the workshop's own command.
func (b *bed) istioctl(ctx context.Context) (string, error) {
	args := []string{"ztunnel-config", "service", "--namespace", b.namespace}
	file, name := b.Cluster.Kubeconfig()
	if file != "" {
		args = append(args, "--kubeconfig", file)
	}
	if name != "" {
		args = append(args, "--context", name)
	}
	output, err := exec.CommandContext(ctx, b.Istioctl, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", b.Istioctl, strings.Join(args, " "), err, output)
	}
	return string(output), nil
}

func (b *bed) table(ctx context.Context) ([]row, error) {
	text, err := b.istioctl(ctx)
	if err != nil {
		return nil, err
	}
	return parseTable(text)
}

// parseTable reads the lines below the heading. A headless Service leaves the
// column of its address empty.
func parseTable(text string) ([]row, error) {
	var rows []row
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "NAMESPACE") {
			continue
		}
		if len(fields) == 4 {
			fields = slices.Insert(fields, 2, "")
		}
		if len(fields) != 5 {
			return nil, fmt.Errorf("line %q has %d columns instead of 5", line, len(fields))
		}
		rows = append(rows, row{fields[0], fields[1], fields[2], fields[3], fields[4]})
	}
	return rows, nil
}

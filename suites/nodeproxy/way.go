package nodeproxy

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"gonum.org/v1/gonum/stat/distuv"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

const (
	envoy = "istio-envoy" // what a waypoint says in the header Server

	carsPort = 8000
	carsPath = "/cars/Madrid"
)

// few is enough requests to see on which way they go.
func few(url string) link.Question {
	return link.Question{URL: url, Connections: 5, Requests: 4, Timeout: 10 * time.Second}
}

// itFindsTheWay is about where a captured pod's connection goes.
func itFindsTheWay(b *bed) {
	Describe("from a captured pod", func() {
		It("goes to a Service through its waypoint, and to a pod's address past it", func(ctx SpecContext) {
			Expect(b.Scene.Bring(ctx, catalogue.Enrolled)).To(Succeed())
			answers, err := b.ask(ctx, caller(inside), few(fmt.Sprintf("http://cars.travel-agency:%d%s", carsPort, carsPath)))
			Expect(err).NotTo(HaveOccurred())
			Expect(answers.Failed).To(BeZero(), "%v", answers.Errors)
			Expect(answers.Servers).To(Equal(map[string]int{envoy: 20}))
			AddReportEntry("through the Service", answers.Servers)

			pod, err := b.pod(ctx, "travel-agency", "cars")
			Expect(err).NotTo(HaveOccurred())
			url := "http://" + net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(carsPort)) + carsPath
			answers, err = b.ask(ctx, caller(inside), few(url))
			Expect(err).NotTo(HaveOccurred())
			Expect(answers.Failed).To(BeZero(), "%v", answers.Errors)
			Expect(answers.Servers).To(Equal(map[string]int{"": 20}))
			AddReportEntry("to the pod's address", answers.Servers)
		}, NodeTimeout(4*within))

		It("is balanced for each connection where the Service opts out of the waypoint", func(ctx SpecContext) {
			Expect(b.Scene.Bring(ctx, catalogue.Enrolled)).To(Succeed())
			b.layCars(ctx)
			q := link.Question{
				URL:         fmt.Sprintf("http://cars-l4.travel-agency:%d%s", carsPort, carsPath),
				Connections: 200, Requests: 3, Timeout: 10 * time.Second,
			}
			answers, err := b.ask(ctx, caller(inside), q)
			Expect(err).NotTo(HaveOccurred())
			AddReportEntry("connections by pod", answers.Settled)
			Expect(answers.Failed).To(BeZero(), "%v", answers.Errors)
			Expect(answers.Servers).To(Equal(map[string]int{"": 600}), "no waypoint")
			Expect(answers.Mixed).To(BeZero(), "connections on which pods took turns")
			Expect(answers.Settled).To(HaveLen(2))
			for pod, count := range answers.Settled {
				Expect(evenly(count, 200)).To(BeTrue(), "pod %s got %d of 200 connections", pod, count)
			}
		}, NodeTimeout(4*within))
	})
}

// evenly says whether count of total is what a fair coin may give: two-sided
// exact binomial test at 1e-6.
func evenly(count, total int) bool {
	coin := distuv.Binomial{N: float64(total), P: 0.5}
	low := math.Min(float64(count), float64(total-count))
	return 2*coin.CDF(low) > 1e-6
}

func (b *bed) ours(deployment *appsv1.Deployment) error {
	manifests.SetImage(deployment, b.Agent)
	return nil
}

// layCars puts the Service without a waypoint and its two pods there until the
// spec is over.
func (b *bed) layCars(ctx SpecContext) {
	objects, err := manifests.Objects("l4/cars-l4.yaml")
	Expect(err).NotTo(HaveOccurred())
	var all []kube.Manifest
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			object, err = manifests.Change(object, b.ours)
			Expect(err).NotTo(HaveOccurred())
		}
		all = append(all, kube.Manifest{File: "l4/cars-l4.yaml", Object: object})
	}
	_, err = b.Cluster.Apply(ctx, b.Owner, all)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { Expect(b.Cluster.Delete(ctx, b.Owner, all)).To(Succeed()) }, NodeTimeout(within))
	Expect(b.Cluster.AwaitDeployment(ctx, kube.Ref{Namespace: "travel-agency", Name: "cars-l4"}, within)).To(Succeed())
	Expect(b.Gate.NodeProxies(ctx)).To(Succeed())
}

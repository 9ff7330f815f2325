package kube

import (
	"context"
	"fmt"
	"time"

	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// Usage is what a pod consumed by the metrics API's word, averaged over the
// Window that ended At.
type Usage struct {
	Pod        string
	CPUMilli   int64 // thousandths of a core, all containers
	MemoryByte int64
	At         time.Time
	Window     time.Duration
}

const metricsPath = "/apis/metrics.k8s.io/v1beta1"

// PodUsage reads the metrics API for the pods of a namespace that a label
// selector picks: the same numbers that an autoscaler sees.
func (c *Cluster) PodUsage(ctx context.Context, namespace, selector string) ([]Usage, error) {
	raw, err := c.set.Discovery().RESTClient().Get().
		AbsPath(metricsPath, "namespaces", namespace, "pods").Param("labelSelector", selector).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read usage of pods %q in namespace %s: %w", selector, namespace, err)
	}
	var list metricsv1beta1.PodMetricsList
	if err := decodeJSON(raw, &list, "pod metrics"); err != nil {
		return nil, err
	}
	usages := make([]Usage, len(list.Items))
	for i := range list.Items {
		usages[i] = usageOf(&list.Items[i])
	}
	return usages, nil
}

func usageOf(metrics *metricsv1beta1.PodMetrics) Usage {
	usage := Usage{Pod: metrics.Name, At: metrics.Timestamp.Time, Window: metrics.Window.Duration}
	for _, container := range metrics.Containers {
		usage.CPUMilli += container.Usage.Cpu().MilliValue()
		usage.MemoryByte += container.Usage.Memory().Value()
	}
	return usage
}

// MetricsServed tells whether the metrics API answers with figures of at least
// one node, without which no autoscaler moves.
func (c *Cluster) MetricsServed(ctx context.Context) error {
	raw, err := c.set.Discovery().RESTClient().Get().AbsPath(metricsPath, "nodes").MaxRetries(0).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("ask the metrics api for nodes: %w", err)
	}
	var list metricsv1beta1.NodeMetricsList
	if err := decodeJSON(raw, &list, "node metrics"); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return fmt.Errorf("the metrics api answers, but has no figures of any node yet")
	}
	return nil
}

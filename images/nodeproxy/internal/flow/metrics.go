package flow

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are Istio's TCP counters, under the names and labels that ztunnel
// gives them.
type Metrics struct {
	opened, closed, sent, received *prometheus.CounterVec
}

func labelNames() []string {
	return []string{
		"reporter", "request_protocol", "response_flags", "connection_security_policy",
		"source_workload", "source_workload_namespace", "source_principal",
		"source_canonical_service", "source_canonical_revision",
		"destination_workload", "destination_workload_namespace", "destination_principal",
		"destination_canonical_service", "destination_canonical_revision",
		"destination_service", "destination_service_name", "destination_service_namespace",
	}
}

// NewMetrics registers the counters.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		opened:   counter("istio_tcp_connections_opened_total", "Connections opened."),
		closed:   counter("istio_tcp_connections_closed_total", "Connections closed."),
		sent:     counter("istio_tcp_sent_bytes_total", "Bytes sent by the reporting workload."),
		received: counter("istio_tcp_received_bytes_total", "Bytes received by the reporting workload."),
	}
	for _, c := range []prometheus.Collector{m.opened, m.closed, m.sent, m.received} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func counter(name, text string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: text}, labelNames())
}

func labels(f Facts, flags string) prometheus.Labels {
	return prometheus.Labels{
		"reporter": reporter(f.Direction), "request_protocol": "tcp", "response_flags": flags,
		"connection_security_policy":     security(f),
		"source_workload":                known(f.Source.Workload),
		"source_workload_namespace":      known(f.Source.Namespace),
		"source_principal":               known(f.Source.Identity),
		"source_canonical_service":       known(f.Source.CanonicalName),
		"source_canonical_revision":      known(f.Source.CanonicalRevision),
		"destination_workload":           known(f.Destination.Workload),
		"destination_workload_namespace": known(f.Destination.Namespace),
		"destination_principal":          known(f.Destination.Identity),
		"destination_canonical_service":  known(f.Destination.CanonicalName),
		"destination_canonical_revision": known(f.Destination.CanonicalRevision),
		"destination_service":            known(f.Service.Hostname),
		"destination_service_name":       known(f.Service.Name),
		"destination_service_namespace":  known(f.Service.Namespace),
	}
}

func reporter(d Direction) string {
	if d == Inbound {
		return "destination"
	}
	return "source"
}

func security(f Facts) string {
	if f.Tunneled {
		return "mutual_tls"
	}
	return "unknown"
}

func known(value string) string {
	if value == "" {
		return "unknown"
	}
	return value
}

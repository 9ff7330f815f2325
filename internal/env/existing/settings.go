package existing

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/kube"
)

// meshConfig is the part of Istio's mesh configuration that matters here.
type meshConfig struct {
	EnableTracing      bool                   `json:"enableTracing"`
	DiscoverySelectors []metav1.LabelSelector `json:"discoverySelectors"`
	ExtensionProviders []provider             `json:"extensionProviders"`
}

type provider struct {
	Name          string `json:"name"`
	OpenTelemetry *struct {
		Service string `json:"service"`
		Port    int    `json:"port"`
	} `json:"opentelemetry"`
}

func readMeshConfig(text string) (meshConfig, error) {
	var config meshConfig
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		return config, fmt.Errorf("read mesh configuration: %w", err)
	}
	return config, nil
}

func meshSettings(ctx context.Context, p patient) []Finding {
	object, err := p.cluster.Read(ctx, corev1.SchemeGroupVersion.WithKind("ConfigMap"), kube.Ref{Namespace: ambient.NamespaceIstio, Name: "istio"})
	if err != nil || object == nil {
		return []Finding{bad("mesh configuration", Everything, fmt.Sprintf("config map %s/istio cannot be read: %v", ambient.NamespaceIstio, err),
			"wayproof expects istiod without a revision in namespace "+ambient.NamespaceIstio)}
	}
	var config corev1.ConfigMap
	if err := kube.Into(object, &config); err != nil {
		return []Finding{unknown("mesh configuration", err)}
	}
	settings, err := readMeshConfig(config.Data["mesh"])
	if err != nil {
		return []Finding{unknown("mesh configuration", err)}
	}
	return []Finding{settings.tracing(), settings.discovery()}
}

// tracing looks for the provider that the workshop's Telemetry objects name.
// Without it they are without effect, and no object says so.
func (m meshConfig) tracing() Finding {
	const check = "tracing provider"
	remedy := fmt.Sprintf("add to meshConfig: enableTracing: true, and under extensionProviders {name: %s, opentelemetry: {service: %s, port: %d}}",
		ambient.TracingProvider, ambient.TracingService, ambient.TracingPort)
	for _, candidate := range m.ExtensionProviders {
		if candidate.Name != ambient.TracingProvider {
			continue
		}
		if candidate.OpenTelemetry == nil {
			return bad(check, tracingTask, "provider "+candidate.Name+" is not of kind opentelemetry", remedy)
		}
		if candidate.OpenTelemetry.Service != ambient.TracingService || candidate.OpenTelemetry.Port != ambient.TracingPort {
			return bad(check, tracingTask, fmt.Sprintf("provider %s sends to %s:%d, where wayproof's sink is not",
				candidate.Name, candidate.OpenTelemetry.Service, candidate.OpenTelemetry.Port), remedy)
		}
		if !m.EnableTracing {
			return bad(check, tracingTask, "enableTracing is off", remedy)
		}
		return good(check, tracingTask, "%s sends to %s:%d", candidate.Name, candidate.OpenTelemetry.Service, candidate.OpenTelemetry.Port)
	}
	return bad(check, tracingTask, "no provider named "+ambient.TracingProvider, remedy)
}

// discovery tells whether istiod will see namespaces labelled as the workshop
// labels them.
func (m meshConfig) discovery() Finding {
	const check = "discovery selectors"
	if len(m.DiscoverySelectors) == 0 {
		return good(check, Everything, "none: every namespace is seen")
	}
	ours := labels.Set{ambient.DiscoveryLabel: ambient.DiscoveryEnabled}
	for i := range m.DiscoverySelectors {
		selector, err := metav1.LabelSelectorAsSelector(&m.DiscoverySelectors[i])
		if err != nil {
			return unknown(check, err)
		}
		if selector.Matches(ours) {
			return good(check, Everything, "%s", selector)
		}
	}
	return bad(check, Everything, fmt.Sprintf("none matches %s, so the namespaces of the suites would be invisible to istiod", ours),
		fmt.Sprintf("add a discovery selector {matchLabels: {%s: %s}}", ambient.DiscoveryLabel, ambient.DiscoveryEnabled))
}

package ambient

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// Abilities that a promise may require and a mesh may lack.
const (
	AbilityRetry   = "retry"   // the retry field of an HTTPRoute
	AbilityMetrics = "metrics" // figures for autoscalers
	AbilityTracing = "tracing" // the provider that Telemetry objects name
)

// lacks tells what this mesh cannot offer, with the reason.
func lacks(ctx context.Context, cluster *kube.Cluster, crd *unstructured.Unstructured) []record.Lack {
	var lacking []record.Lack
	if !hasRetry(crd) {
		channel := crd.GetAnnotations()[bundleChannel]
		lacking = append(lacking, record.Lack{Ability: AbilityRetry, Reason: fmt.Sprintf("HTTPRoute of the %s channel has no field retry", channel)})
	}
	if err := cluster.MetricsServed(ctx); err != nil {
		lacking = append(lacking, record.Lack{Ability: AbilityMetrics, Reason: err.Error()})
	}
	return lacking
}

// hasRetry looks for the field in the schema of HTTPRoute v1.
func hasRetry(crd *unstructured.Unstructured) bool {
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, entry := range versions {
		version, _ := entry.(map[string]any)
		if version["name"] != "v1" {
			continue
		}
		_, found, _ := unstructured.NestedMap(version, "schema", "openAPIV3Schema", "properties", "spec", "properties", "rules", "items", "properties", "retry")
		return found
	}
	return false
}

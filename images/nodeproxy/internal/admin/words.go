package admin

import (
	"strings"

	"istio.io/istio/pkg/workloadapi"
)

// The control plane's enums, spelt as in ztunnel's config_dump.

func loadBalancer(lb *workloadapi.LoadBalancing) *LoadBalancer {
	if lb == nil {
		return nil
	}
	out := &LoadBalancer{Mode: mode(lb.GetMode()), RoutingPreferences: []string{}, HealthPolicy: "OnlyHealthy"}
	if lb.GetHealthPolicy() == workloadapi.LoadBalancing_ALLOW_ALL {
		out.HealthPolicy = "AllowAll"
	}
	for _, s := range lb.GetRoutingPreference() {
		out.RoutingPreferences = append(out.RoutingPreferences, capitalised(s.String()))
	}
	return out
}

func mode(m workloadapi.LoadBalancing_Mode) string {
	if m == workloadapi.LoadBalancing_UNSPECIFIED_MODE {
		return "Standard"
	}
	return capitalised(m.String())
}

func capitalised(word string) string {
	return word[:1] + strings.ToLower(word[1:])
}

func families(f workloadapi.IPFamilies) string {
	switch f {
	case workloadapi.IPFamilies_IPV4_ONLY:
		return "IPv4"
	case workloadapi.IPFamilies_IPV6_ONLY:
		return "IPv6"
	case workloadapi.IPFamilies_DUAL:
		return "Dual"
	}
	return ""
}

func visibility(v workloadapi.Service_Visibility) string {
	if v == workloadapi.Service_NAMESPACE {
		return "Namespace"
	}
	return ""
}

package ambient

import (
	"fmt"

	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/wayproof/wayproof/internal/helm"
)

// values is one chart's tree.
type values = map[string]any

// releases are Istio's four in the order of installation.
func (o Options) releases() ([]helm.Release, error) {
	extra, err := o.overlay()
	if err != nil {
		return nil, err
	}
	var releases []helm.Release
	for _, c := range charts() {
		own := o.valuesOf(c)
		releases = append(releases, helm.Release{
			Name:      c.release,
			Namespace: o.namespaceOf(c),
			Source:    o.source(c),
			// In this call the first argument wins.
			Values: chartutil.CoalesceTables(extra[c.key], own),
		})
	}
	return releases, nil
}

func (o Options) valuesOf(c chart) values {
	var own values
	switch c.key {
	case "istiod":
		own = o.istiod()
	case "cni":
		own = o.cni()
	case "ztunnel":
		own = o.ztunnel()
	default:
		own = values{}
	}
	own["profile"] = "ambient"
	return own
}

// global names the images and when to pull them. The ambient profile would add
// "-distroless" to tags, which only released images have: where hub and tag are
// ours the variant is emptied.
func (o Options) global() values {
	global := values{"imagePullPolicy": "IfNotPresent"}
	if o.Hub != "" {
		global["hub"], global["variant"] = o.Hub, ""
	}
	if o.Tag != "" {
		global["tag"] = o.Tag
	}
	return global
}

// istiod mirrors the workshop's: discovery by label, a trusted ztunnel
// namespace, a tracing provider that nothing uses until a Telemetry names it.
// One replica without autoscaling, for a second istiod on a small machine costs
// more than it gives; waypoints keep their default requests, which the
// workshop's autoscaler counts on.
func (o Options) istiod() values {
	global := o.global()
	if image := o.Images[ProxyV2]; image != "" {
		global["proxy"] = values{"image": image}
	}
	own := values{
		"global":                  global,
		"resources":               requests("50m", "256Mi"),
		"autoscaleEnabled":        false,
		"trustedZtunnelNamespace": o.ZtunnelNamespace,
		"meshConfig":              meshConfig(),
	}
	if o.WaypointProxy != "" {
		own["deploymentAnnotations"] = values{WaypointProxyNote: o.WaypointProxy}
	}
	o.setImage(own, Pilot)
	return own
}

func meshConfig() values {
	return values{
		"discoverySelectors": []any{
			values{"matchLabels": values{DiscoveryLabel: DiscoveryEnabled}},
		},
		"enableTracing": true,
		"extensionProviders": []any{
			values{"name": TracingProvider, "opentelemetry": values{"service": TracingService, "port": TracingPort}},
		},
	}
}

// cni turns DNS capture off under a stand-in, which has no DNS proxy.
func (o Options) cni() values {
	own := values{"global": o.global(), "resources": requests("20m", "64Mi")}
	if o.StandIn != "" {
		own["ambient"] = values{"dnsCapture": false}
	}
	o.setImage(own, InstallCNI)
	return own
}

// ztunnel gets the weight of a waypoint: it is on the way of every request, and
// its turn comes after whatever asked for more.
func (o Options) ztunnel() values {
	own := o.global()
	own["resources"] = requests("100m", "64Mi")
	own["istioNamespace"] = NamespaceIstio
	if o.StandIn != "" {
		own["annotations"] = values{NodeProxyNote: o.nodeProxy()}
	}
	o.setImage(own, Ztunnel)
	return own
}

func (o Options) nodeProxy() string { return fmt.Sprintf("stand-in %s", o.StandIn) }

// setImage replaces a chart's image: a reference with a slash is taken whole by
// Istio's charts.
func (o Options) setImage(own values, component string) {
	if image := o.Images[component]; image != "" {
		own["image"] = image
	}
	if digest := o.Digests[component]; digest != "" {
		own["podAnnotations"] = values{ImageDigestNote: digest}
	}
}

func requests(cpu, memory string) values {
	return values{"requests": values{"cpu": cpu, "memory": memory}}
}

package ambient

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/gatewayapi"
	"github.com/wayproof/wayproof/internal/helm"
)

// The components, as keys of Options.Images and Options.Sources.
const (
	Pilot         = "pilot"
	InstallCNI    = "install-cni"
	ProxyV2       = "proxyv2"
	Ztunnel       = "ztunnel"
	MetricsServer = "metrics-server"
)

// Namespaces and labels of the workshop's set-up.
const (
	NamespaceIstio    = "istio-system"
	NamespaceCNI      = "istio-cni"
	DefaultZtunnel    = "ztunnel"
	DiscoveryLabel    = "istio-discovery"
	DiscoveryEnabled  = "enabled"
	NodeProxyNote     = "wayproof.dev/node-proxy" // annotation on ztunnel's DaemonSet
	WaypointProxyNote = "wayproof.dev/waypoint-proxy"
	ImageDigestNote   = "wayproof.dev/image-digest" // annotation on the pods of a component
	// ReleaseRepository is where Istio publishes the charts of its releases.
	ReleaseRepository = "https://istio-release.storage.googleapis.com/charts"
	// TracingProvider and TracingService are what Telemetry objects name, and
	// where spans go.
	TracingProvider = "otel"
	TracingService  = "otel-collector." + NamespaceIstio + ".svc.cluster.local"
	TracingPort     = 4317
)

// Options say what mesh to install.
type Options struct {
	// ChartsDir is Istio's manifests/charts directory; empty means the charts
	// of release Version in Repository (ReleaseRepository if empty), kept in
	// ChartCache.
	ChartsDir  string
	Repository string
	Version    string
	ChartCache string

	// Hub and Tag name the images that Images does not; both empty leaves the
	// charts' own.
	Hub string
	Tag string
	// Images are full references that replace single ones.
	Images map[string]string
	// Digests says per component what its image is made of, where that is known.
	// It goes into the pods' annotations: an image that changed under the same
	// reference rolls them.
	Digests map[string]string
	// Sources says per component where its image came from, for the table.
	Sources map[string]string

	// StandIn is the version of the node proxy that stands in for ztunnel;
	// empty if it is the real one.
	StandIn string
	// WaypointProxy describes the waypoints' proxy where it is not Istio's own,
	// such as "upstream envoy 1.40.0 + adapter".
	WaypointProxy string

	ZtunnelNamespace string // DefaultZtunnel if empty
	Channel          gatewayapi.Channel
	// ValuesFile is a YAML file with the keys base, istiod, cni and ztunnel,
	// each the values laid over that chart's.
	ValuesFile string
	// Within bounds the wait for each component; three minutes if zero.
	Within time.Duration
}

func (o Options) withDefaults() (Options, error) {
	if o.ZtunnelNamespace == "" {
		o.ZtunnelNamespace = DefaultZtunnel
	}
	if o.Within == 0 {
		o.Within = 3 * time.Minute
	}
	if o.Repository == "" {
		o.Repository = ReleaseRepository
	}
	channel, err := gatewayapi.ParseChannel(string(o.Channel))
	if err != nil {
		return o, err
	}
	o.Channel = channel
	switch {
	case o.ChartsDir == "" && o.Version == "":
		return o, errors.New("neither a charts directory nor an istio version given")
	case o.Images[MetricsServer] == "":
		return o, errors.New("no metrics-server image given")
	}
	return o, nil
}

// chart is one of Istio's charts.
type chart struct {
	key       string // in the values file
	release   string
	name      string // in a repository
	directory string // under ChartsDir
}

func charts() []chart {
	return []chart{
		{"base", "istio-base", "base", "base"},
		{"istiod", "istiod", "istiod", "istio-control/istio-discovery"},
		{"cni", "istio-cni", "cni", "istio-cni"},
		{"ztunnel", "ztunnel", "ztunnel", "ztunnel"},
	}
}

func (o Options) source(c chart) helm.Source {
	if o.ChartsDir != "" {
		return helm.Source{Path: filepath.Join(o.ChartsDir, filepath.FromSlash(c.directory))}
	}
	return helm.Source{Repo: o.Repository, Name: c.name, Version: o.Version, Cache: o.ChartCache}
}

// CheckValues reads the values file, for an error before anything is made.
func (o Options) CheckValues() error {
	_, err := o.overlay()
	return err
}

// FetchCharts brings the charts of a release into the cache. A release that is
// not in the repository is an error that lists those that are.
func (o Options) FetchCharts(ctx context.Context) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	for _, c := range charts() {
		if _, err := o.source(c).Load(ctx); err != nil {
			return fmt.Errorf("istio %s: %w", o.Version, err)
		}
	}
	return nil
}

// ImageHub is where the images of a release are pulled from: the hub that was
// named, or the charts' own.
func (o Options) ImageHub(ctx context.Context) (string, error) {
	if o.Hub != "" {
		return o.Hub, o.FetchCharts(ctx)
	}
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	charts := charts()
	ztunnel := o.source(charts[len(charts)-1])
	loaded, err := ztunnel.Load(ctx)
	if err != nil {
		return "", fmt.Errorf("istio %s: %w", o.Version, err)
	}
	defaults, ok := loaded.Values["_internal_defaults_do_not_set"].(values)
	if !ok {
		defaults = loaded.Values
	}
	hub, ok := defaults["hub"].(string)
	if !ok || hub == "" {
		return "", fmt.Errorf("chart %s names no hub of its images", ztunnel)
	}
	return hub, nil
}

func (o Options) namespaceOf(c chart) string {
	switch c.key {
	case "cni":
		return NamespaceCNI
	case "ztunnel":
		return o.ZtunnelNamespace
	default:
		return NamespaceIstio
	}
}

// overlay reads the values file: chart key to values.
func (o Options) overlay() (map[string]map[string]any, error) {
	if o.ValuesFile == "" {
		return nil, nil
	}
	content, err := os.ReadFile(o.ValuesFile)
	if err != nil {
		return nil, fmt.Errorf("read chart values: %w", err)
	}
	var extra map[string]map[string]any
	if err := yaml.UnmarshalStrict(content, &extra); err != nil {
		return nil, fmt.Errorf("read chart values %s: %w", o.ValuesFile, err)
	}
	var known []string
	for _, c := range charts() {
		known = append(known, c.key)
	}
	for key := range extra {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("chart values %s: no chart %q, there are %s", o.ValuesFile, key, strings.Join(known, ", "))
		}
	}
	return extra, nil
}

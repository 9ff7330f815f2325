package ready

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Types of resources, as their URLs end.
const (
	listeners = "envoy.config.listener.v3.Listener"
	clusters  = "envoy.config.cluster.v3.Cluster"
	endpoints = "envoy.config.endpoint.v3.ClusterLoadAssignment"
	routes    = "envoy.config.route.v3.RouteConfiguration"
	addresses = "istio.workload.Address"
)

// delivery is how far one type of resource got with one proxy.
type delivery struct {
	Sent  string `json:"sent"`
	Acked string `json:"acked"`
	Error string `json:"lastError"`
}

func (d delivery) open() bool { return d.Sent != d.Acked }

// proxy is a row of /debug/syncz. Types are keyed by the end of their URL.
type proxy struct {
	ID     string // name.namespace of the pod
	Istiod string
	Types  map[string]delivery
}

// row is the JSON of one proxy. Istio before 1.29 has only the fields per type.
type row struct {
	Proxy         string              `json:"proxy"`
	ClusterSent   string              `json:"cluster_sent"`
	ClusterAcked  string              `json:"cluster_acked"`
	ListenerSent  string              `json:"listener_sent"`
	ListenerAcked string              `json:"listener_acked"`
	RouteSent     string              `json:"route_sent"`
	RouteAcked    string              `json:"route_acked"`
	EndpointSent  string              `json:"endpoint_sent"`
	EndpointAcked string              `json:"endpoint_acked"`
	Resources     map[string]delivery `json:"resources"`
}

// readSyncz reads one istiod's answer. A newer istiod may have wrapped it.
func readSyncz(istiod string, raw []byte) ([]proxy, error) {
	var rows []row
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, fmt.Errorf("read syncz of %s: %w: %.80q", istiod, err, raw)
	}
	proxies := make([]proxy, 0, len(rows))
	for _, r := range rows {
		proxies = append(proxies, proxy{ID: r.Proxy, Istiod: istiod, Types: r.types()})
	}
	return proxies, nil
}

func (r row) types() map[string]delivery {
	types := map[string]delivery{
		clusters:  {Sent: r.ClusterSent, Acked: r.ClusterAcked},
		listeners: {Sent: r.ListenerSent, Acked: r.ListenerAcked},
		routes:    {Sent: r.RouteSent, Acked: r.RouteAcked},
		endpoints: {Sent: r.EndpointSent, Acked: r.EndpointAcked},
	}
	for url, d := range r.Resources {
		types[url[strings.LastIndex(url, "/")+1:]] = d
	}
	return types
}

// pending lists what the proxy has not acknowledged, in words, and the first
// refusal if there is one.
func (p proxy) pending() (open []string, refused string) {
	names := make([]string, 0, len(p.Types))
	for name := range p.Types {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d := p.Types[name]
		if d.open() {
			open = append(open, short(name)+" not acknowledged")
		}
		if d.Error != "" && refused == "" {
			refused = short(name) + ": " + d.Error
		}
	}
	return open, refused
}

// short is the last word of a type's name.
func short(name string) string { return name[strings.LastIndex(name, ".")+1:] }

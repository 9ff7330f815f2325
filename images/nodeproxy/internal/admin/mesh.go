package admin

import (
	"net/netip"
	"strconv"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// Gateway is a waypoint. Destination is "<namespace>/<hostname>" or
// "<network>/<IP>": istioctl compares it with a service's own.
type Gateway struct {
	Destination string `json:"destination"`
	Port        uint32 `json:"hboneMtlsPort"`
}

// Locality is where a workload runs.
type Locality struct {
	Region  string `json:"region,omitempty"`
	Zone    string `json:"zone,omitempty"`
	Subzone string `json:"subzone,omitempty"`
}

// Workload is one endpoint as istioctl reads it.
type Workload struct {
	UID                   string   `json:"uid"`
	WorkloadIPs           []string `json:"workloadIps"`
	Waypoint              *Gateway `json:"waypoint,omitempty"`
	Protocol              string   `json:"protocol"`
	Name                  string   `json:"name"`
	Namespace             string   `json:"namespace"`
	ServiceAccount        string   `json:"serviceAccount"`
	WorkloadName          string   `json:"workloadName"`
	WorkloadType          string   `json:"workloadType"`
	CanonicalName         string   `json:"canonicalName"`
	CanonicalRevision     string   `json:"canonicalRevision"`
	ClusterID             string   `json:"clusterId"`
	TrustDomain           string   `json:"trustDomain,omitempty"`
	Locality              Locality `json:"locality"`
	Node                  string   `json:"node"`
	Network               string   `json:"network,omitempty"`
	Status                string   `json:"status"`
	Hostname              string   `json:"hostname"`
	Capacity              uint64   `json:"capacity"`
	AuthorizationPolicies []string `json:"authorizationPolicies,omitempty"`
}

func workload(w *state.Workload) Workload {
	spec := w.Spec
	out := Workload{
		UID: w.UID(), WorkloadIPs: []string{}, Waypoint: gateway(spec.GetWaypoint()), Protocol: protocol(w),
		Name: spec.GetName(), Namespace: spec.GetNamespace(), ServiceAccount: w.ID.ServiceAccount,
		WorkloadName: spec.GetWorkloadName(), WorkloadType: "pod",
		CanonicalName: spec.GetCanonicalName(), CanonicalRevision: spec.GetCanonicalRevision(),
		ClusterID: spec.GetClusterId(), TrustDomain: w.ID.TrustDomain,
		Locality: Locality{
			Region: spec.GetLocality().GetRegion(), Zone: spec.GetLocality().GetZone(),
			Subzone: spec.GetLocality().GetSubzone(),
		},
		Node: spec.GetNode(), Network: spec.GetNetwork(), Status: status(w), Hostname: spec.GetHostname(),
		Capacity: w.Capacity(), AuthorizationPolicies: spec.GetAuthorizationPolicies(),
	}
	for _, ip := range w.Addrs {
		out.WorkloadIPs = append(out.WorkloadIPs, ip.String())
	}
	return out
}

func protocol(w *state.Workload) string {
	switch {
	case w.Unsupported != nil:
		return "unsupported"
	case w.SpeaksHBONE():
		return "HBONE"
	}
	return "TCP"
}

func status(w *state.Workload) string {
	if w.Healthy() {
		return "Healthy"
	}
	return "Unhealthy"
}

func gateway(g *workloadapi.GatewayAddress) *Gateway {
	switch d := g.GetDestination().(type) {
	case *workloadapi.GatewayAddress_Hostname:
		return &Gateway{
			Destination: d.Hostname.GetNamespace() + "/" + d.Hostname.GetHostname(), Port: g.GetHboneMtlsPort(),
		}
	case *workloadapi.GatewayAddress_Address:
		ip, _ := netip.AddrFromSlice(d.Address.GetAddress()) // an invalid one shows as such
		at := state.Address{Network: d.Address.GetNetwork(), IP: ip.Unmap()}
		return &Gateway{Destination: at.String(), Port: g.GetHboneMtlsPort()}
	}
	return nil
}

// Endpoint is one workload behind a service.
type Endpoint struct {
	WorkloadUID string         `json:"workloadUid"`
	Port        map[string]int `json:"port"`
	Status      string         `json:"status"`
}

// LoadBalancer is how endpoints are chosen.
type LoadBalancer struct {
	Mode               string   `json:"mode"`
	RoutingPreferences []string `json:"routingPreferences"`
	HealthPolicy       string   `json:"healthPolicy"`
}

// Service is one service as istioctl reads it.
type Service struct {
	Name            string              `json:"name"`
	Namespace       string              `json:"namespace"`
	Hostname        string              `json:"hostname"`
	VIPs            []string            `json:"vips"`
	CIDRVIPs        []string            `json:"cidrVips,omitempty"`
	Ports           map[string]int      `json:"ports"`
	LoadBalancer    *LoadBalancer       `json:"loadBalancer,omitempty"`
	Waypoint        *Gateway            `json:"waypoint,omitempty"`
	Endpoints       map[string]Endpoint `json:"endpoints"`
	SubjectAltNames []string            `json:"subjectAltNames,omitempty"`
	IPFamilies      string              `json:"ipFamilies"`
	Canonical       bool                `json:"canonical"`
	Visibility      string              `json:"visibility,omitempty"`
}

func service(s *state.Service, endpoints []*state.Workload) Service {
	spec := s.Spec
	out := Service{
		Name: spec.GetName(), Namespace: spec.GetNamespace(), Hostname: spec.GetHostname(),
		VIPs: []string{}, Ports: portMap(spec.GetPorts()), LoadBalancer: loadBalancer(spec.GetLoadBalancing()),
		Waypoint: gateway(spec.GetWaypoint()), Endpoints: map[string]Endpoint{},
		SubjectAltNames: spec.GetSubjectAltNames(), IPFamilies: families(spec.GetIpFamilies()),
		Canonical: spec.GetCanonical(), Visibility: visibility(spec.GetVisibility()),
	}
	for _, vip := range s.VIPs {
		out.VIPs = append(out.VIPs, vip.String())
	}
	for _, r := range s.Ranges {
		out.CIDRVIPs = append(out.CIDRVIPs, r.Network+"/"+r.Prefix.String())
	}
	for _, w := range endpoints {
		if !s.Uses(w) {
			continue
		}
		ports := w.Spec.GetServices()[s.Key()].GetPorts()
		out.Endpoints[w.UID()] = Endpoint{WorkloadUID: w.UID(), Port: portMap(ports), Status: status(w)}
	}
	return out
}

func portMap(ports []*workloadapi.Port) map[string]int {
	out := map[string]int{}
	for _, p := range ports {
		out[strconv.FormatUint(uint64(p.GetServicePort()), 10)] = int(p.GetTargetPort())
	}
	return out
}

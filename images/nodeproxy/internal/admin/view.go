package admin

import (
	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/pod"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// View is what config_dump is made from.
type View struct {
	Store      *state.Store
	Policies   *rbac.Table
	Identities *identity.Cache
	Pods       func() []pod.Status
	Flows      *flow.Tracker
	Version    Version
}

// Version says what answers: not ztunnel, but its stand-in.
type Version struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	Go      string `json:"go"`
}

// Dump is the top level of config_dump, in the shape that istioctl's
// ztunnel-config commands read.
type Dump struct {
	Workloads     []Workload       `json:"workloads"`
	Services      []Service        `json:"services"`
	Policies      []Policy         `json:"policies"`
	Certificates  []Certificates   `json:"certificates"`
	WorkloadState map[string]State `json:"workloadState"`
	Version       Version          `json:"version"`
}

// Dump takes each table as it is at its turn.
func (v View) Dump() Dump {
	d := Dump{
		Workloads: []Workload{}, Services: []Service{}, Policies: []Policy{},
		Certificates: []Certificates{}, WorkloadState: v.states(), Version: v.Version,
	}
	for _, w := range v.Store.Workloads() {
		d.Workloads = append(d.Workloads, workload(w))
	}
	for _, s := range v.Store.Services() {
		d.Services = append(d.Services, service(s, v.Store.Endpoints(s.Key())))
	}
	for _, p := range v.Policies.All() {
		d.Policies = append(d.Policies, policy(p))
	}
	for _, s := range v.Identities.Snapshots() {
		d.Certificates = append(d.Certificates, certificates(s))
	}
	return d
}

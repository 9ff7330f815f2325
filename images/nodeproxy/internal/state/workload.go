// Package state keeps what the control plane says about the mesh: workloads,
// services, and which workloads stand behind which service. It answers
// questions; choosing among endpoints is package balance's part.
package state

import (
	"errors"
	"fmt"
	"net/netip"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// Address is an IP within a network: the same IP may exist in several.
type Address struct {
	Network string
	IP      netip.Addr
}

// String is the form istioctl expects, <network>/<IP>.
func (a Address) String() string { return a.Network + "/" + a.IP.String() }

// Workload is one endpoint. It does not change once it is in the store.
type Workload struct {
	Spec  *workloadapi.Workload
	Addrs []netip.Addr
	ID    spiffe.ID
	// Unsupported says why traffic to this workload must be refused: sending it
	// in clear instead would be silent and wrong.
	Unsupported error
}

func newWorkload(spec *workloadapi.Workload) (*Workload, error) {
	if spec.GetUid() == "" {
		return nil, errors.New("workload without uid")
	}
	w := &Workload{Spec: spec, ID: spiffe.New(spec.GetTrustDomain(), spec.GetNamespace(), spec.GetServiceAccount())}
	for _, raw := range spec.GetAddresses() {
		ip, ok := netip.AddrFromSlice(raw)
		if !ok {
			return nil, fmt.Errorf("workload %s: address of %d bytes", spec.GetUid(), len(raw))
		}
		w.Addrs = append(w.Addrs, ip.Unmap())
	}
	w.Unsupported = unsupported(spec)
	return w, nil
}

func unsupported(spec *workloadapi.Workload) error {
	switch spec.GetTunnelProtocol() {
	case workloadapi.TunnelProtocol_NONE, workloadapi.TunnelProtocol_HBONE:
		return nil
	}
	return fmt.Errorf("workload %s: tunnel protocol %s is not supported", spec.GetUid(), spec.GetTunnelProtocol())
}

// UID is the control plane's name of the workload.
func (w *Workload) UID() string { return w.Spec.GetUid() }

// Healthy is false for a pod that is not ready or is going away.
func (w *Workload) Healthy() bool { return w.Spec.GetStatus() == workloadapi.WorkloadStatus_HEALTHY }

// SpeaksHBONE tells whether a tunnel ends at the workload itself.
func (w *Workload) SpeaksHBONE() bool {
	return w.Spec.GetTunnelProtocol() == workloadapi.TunnelProtocol_HBONE
}

// Capacity is the workload's weight among its peers.
func (w *Workload) Capacity() uint64 {
	if w.Spec.GetCapacity() == nil {
		return 1
	}
	return uint64(w.Spec.GetCapacity().GetValue())
}

// targetPort looks a service port up in the workload's own map.
func (w *Workload) targetPort(service string, port uint16) (uint16, bool) {
	for _, p := range w.Spec.GetServices()[service].GetPorts() {
		if p.GetServicePort() == uint32(port) && validPort(p.GetTargetPort()) {
			return uint16(p.GetTargetPort()), true
		}
	}
	return 0, false
}

func validPort(port uint32) bool { return port > 0 && port <= 65535 }

// indexed lists the addresses the workload can be found by. Pods on the host's
// network share theirs, so they have none.
func (w *Workload) indexed() []Address {
	if w.Spec.GetNetworkMode() == workloadapi.NetworkMode_HOST_NETWORK {
		return nil
	}
	var out []Address
	for _, ip := range w.Addrs {
		out = append(out, Address{Network: w.Spec.GetNetwork(), IP: ip})
	}
	return out
}

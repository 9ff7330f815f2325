package state

import (
	"errors"
	"fmt"
	"net/netip"

	"istio.io/istio/pkg/workloadapi"
)

// Range is a block of virtual addresses of one service.
type Range struct {
	Network string
	Prefix  netip.Prefix
}

// Service is one service. It does not change once it is in the store; its
// endpoints are kept apart from it, for either may arrive first.
type Service struct {
	Spec   *workloadapi.Service
	VIPs   []Address
	Ranges []Range
}

func newService(spec *workloadapi.Service) (*Service, error) {
	if spec.GetNamespace() == "" || spec.GetHostname() == "" {
		return nil, errors.New("service without namespace or hostname")
	}
	s := &Service{Spec: spec}
	for _, a := range spec.GetAddresses() {
		if err := s.addAddress(a); err != nil {
			return nil, fmt.Errorf("service %s: %w", s.Key(), err)
		}
	}
	return s, nil
}

func (s *Service) addAddress(a *workloadapi.NetworkAddress) error {
	ip, ok := netip.AddrFromSlice(a.GetAddress())
	if !ok {
		return fmt.Errorf("address of %d bytes", len(a.GetAddress()))
	}
	if a.Length == nil || a.GetLength() == uint32(ip.BitLen()) {
		s.VIPs = append(s.VIPs, Address{Network: a.GetNetwork(), IP: ip.Unmap()})
		return nil
	}
	if a.GetLength() > uint32(ip.BitLen()) {
		return fmt.Errorf("prefix length %d of %s", a.GetLength(), ip)
	}
	prefix := netip.PrefixFrom(ip, int(a.GetLength())).Masked()
	s.Ranges = append(s.Ranges, Range{Network: a.GetNetwork(), Prefix: prefix})
	return nil
}

// Key is the resource name, <namespace>/<hostname>.
func (s *Service) Key() string { return s.Spec.GetNamespace() + "/" + s.Spec.GetHostname() }

// visibleTo hides services that are private to their namespace.
func (s *Service) visibleTo(namespace string) bool {
	return s.Spec.GetVisibility() != workloadapi.Service_NAMESPACE || s.in(namespace)
}

func (s *Service) in(namespace string) bool { return s.Spec.GetNamespace() == namespace }

// Uses tells whether an endpoint's health lets it serve.
func (s *Service) Uses(w *Workload) bool {
	return w.Healthy() || s.Spec.GetLoadBalancing().GetHealthPolicy() == workloadapi.LoadBalancing_ALLOW_ALL
}

// TargetPort is where an endpoint serves a port of the service: its own map
// counts first, then the service's number, which is absent for named ports.
func (s *Service) TargetPort(w *Workload, port uint16) (uint16, bool) {
	for _, p := range s.Spec.GetPorts() {
		if p.GetServicePort() != uint32(port) {
			continue
		}
		if own, ok := w.targetPort(s.Key(), port); ok {
			return own, true
		}
		return uint16(p.GetTargetPort()), validPort(p.GetTargetPort())
	}
	return 0, false
}

// Has tells whether the service offers a port at all.
func (s *Service) Has(port uint16) bool {
	for _, p := range s.Spec.GetPorts() {
		if p.GetServicePort() == uint32(port) {
			return true
		}
	}
	return false
}

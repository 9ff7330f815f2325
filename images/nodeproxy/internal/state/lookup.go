package state

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// WorkloadAt finds the workload that has an address, or nil.
func (s *Store) WorkloadAt(a Address) *Workload {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.workloadAt(a)
}

func (s *Store) workloadAt(a Address) *Workload {
	if found := s.byAddress[a]; len(found) > 0 {
		return found[len(found)-1]
	}
	return nil
}

// ServiceAt finds the service a client in the namespace means by a virtual
// address, or nil. Several services may share one: the client's own namespace
// counts first, then Kubernetes' own services, then who came first. Blocks of
// addresses come last; among those of equal namespace the smallest counts.
func (s *Store) ServiceAt(a Address, namespace string) *Service {
	s.mu.RLock()
	defer s.mu.RUnlock()
	candidates := slices.DeleteFunc(slices.Clone(s.byVIP[a]), func(svc *Service) bool { return !svc.visibleTo(namespace) })
	if len(candidates) == 0 {
		return s.serviceAround(a, namespace)
	}
	return slices.MinFunc(candidates, func(x, y *Service) int {
		return cmp.Or(last(!x.in(namespace), !y.in(namespace)), last(!x.Spec.GetCanonical(), !y.Spec.GetCanonical()))
	})
}

// last puts those of whom it is true behind the others.
func last(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}

// serviceAround is the service with the best block around an address, or nil.
func (s *Store) serviceAround(a Address, namespace string) *Service {
	var best *Service
	for _, key := range slices.Sorted(maps.Keys(s.ranges)) {
		svc := s.services[key]
		if svc.longestMatch(a) < 0 || !svc.visibleTo(namespace) {
			continue
		}
		if best == nil || svc.before(best, a, namespace) {
			best = svc
		}
	}
	return best
}

func (s *Service) before(other *Service, a Address, namespace string) bool {
	return cmp.Or(
		last(!s.in(namespace), !other.in(namespace)),
		cmp.Compare(other.longestMatch(a), s.longestMatch(a)),
		last(!s.Spec.GetCanonical(), !other.Spec.GetCanonical()),
	) < 0
}

// longestMatch is the length of the longest prefix around an address, or -1.
func (s *Service) longestMatch(a Address) int {
	bits := -1
	for _, r := range s.Ranges {
		if r.Network == a.Network && r.Prefix.Contains(a.IP) {
			bits = max(bits, r.Prefix.Bits())
		}
	}
	return bits
}

// ServiceNamed finds a service by <namespace>/<hostname>, or nil.
func (s *Store) ServiceNamed(key string) *Service {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.services[key]
}

// WorkloadNamed finds a workload by the hostname it is resolved by, or nil.
func (s *Store) WorkloadNamed(namespace, hostname string) *Workload {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, w := range s.workloads {
		if w.Spec.GetHostname() == hostname && w.Spec.GetNamespace() == namespace && hostname != "" {
			return w
		}
	}
	return nil
}

// Endpoints lists the workloads behind a service by uid, healthy or not.
func (s *Store) Endpoints(service string) []*Workload {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return sorted(maps.Values(s.endpoints[service]))
}

// Workloads lists all workloads by uid.
func (s *Store) Workloads() []*Workload {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return sorted(maps.Values(s.workloads))
}

// Services lists all services by key.
func (s *Store) Services() []*Service {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.SortedFunc(maps.Values(s.services), func(a, b *Service) int { return cmp.Compare(a.Key(), b.Key()) })
}

func sorted(seq func(func(*Workload) bool)) []*Workload {
	return slices.SortedFunc(seq, func(a, b *Workload) int { return cmp.Compare(a.UID(), b.UID()) })
}

// PodRef names a pod of one node in the terms istio-cni and the control plane
// share; their uids differ.
type PodRef struct {
	Node, Namespace, Name, ServiceAccount string
}

func (w *Workload) pod() PodRef {
	return PodRef{
		Node: w.Spec.GetNode(), Namespace: w.Spec.GetNamespace(),
		Name: w.Spec.GetName(), ServiceAccount: w.ID.ServiceAccount,
	}
}

// Pod finds the workload of a pod, or nil while the control plane does not
// know the pod's address.
func (s *Store) Pod(ref PodRef) *Workload {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byPod[ref]
}

// AwaitPod waits until the control plane knows the pod.
func (s *Store) AwaitPod(ctx context.Context, ref PodRef) (*Workload, error) {
	for {
		changed := s.Changed()
		if w := s.Pod(ref); w != nil {
			return w, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Identities lists whom the pods of a node act as. The value is true where a
// captured pod, which will need a certificate, is among them.
func (s *Store) Identities(node string) map[spiffe.ID]bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[spiffe.ID]bool{}
	for _, w := range s.workloads {
		if w.Spec.GetNode() == node {
			out[w.ID] = out[w.ID] || w.SpeaksHBONE()
		}
	}
	return out
}

// Owns tells whether an IP is one of the workload's.
func (w *Workload) Owns(ip netip.Addr) bool { return slices.Contains(w.Addrs, ip) }

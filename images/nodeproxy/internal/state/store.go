package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/notify"
)

// Store is safe for concurrent use. Everything it hands out is immutable.
type Store struct {
	changed notify.Broadcast

	mu        sync.RWMutex
	workloads map[string]*Workload            // by uid
	byAddress map[Address][]*Workload         // the last one counts
	byPod     map[PodRef]*Workload            // those with an address
	services  map[string]*Service             // by key
	byVIP     map[Address][]*Service          // in order of arrival
	ranges    map[string][]Range              // by service key
	endpoints map[string]map[string]*Workload // by service key, then uid
}

// New is an empty store, as before the first answer of the control plane.
func New() *Store {
	return &Store{
		workloads: map[string]*Workload{},
		byAddress: map[Address][]*Workload{},
		byPod:     map[PodRef]*Workload{},
		services:  map[string]*Service{},
		byVIP:     map[Address][]*Service{},
		ranges:    map[string][]Range{},
		endpoints: map[string]map[string]*Workload{},
	}
}

// Changed closes at the next Apply.
func (s *Store) Changed() <-chan struct{} { return s.changed.Changed() }

// Resource is a checked address, ready to be applied.
type Resource struct {
	workload *Workload
	service  *Service
}

// Check turns a message into a resource. A resource may come with an error: it
// is refused towards the control plane, yet traffic to it must not be let out
// in clear, so it is to be applied all the same.
func Check(address *workloadapi.Address) (*Resource, error) {
	switch a := address.GetType().(type) {
	case *workloadapi.Address_Workload:
		w, err := newWorkload(a.Workload)
		if err != nil {
			return nil, err
		}
		return &Resource{workload: w}, w.Unsupported
	case *workloadapi.Address_Service:
		svc, err := newService(a.Service)
		if err != nil {
			return nil, err
		}
		return &Resource{service: svc}, nil
	}
	return nil, errors.New("address is neither workload nor service")
}

// Name is what the resource must be called on the wire.
func (r *Resource) Name() string {
	if r.workload != nil {
		return r.workload.UID()
	}
	return r.service.Key()
}

// Apply replaces and removes resources as one step. Names that are not known
// are ignored: the control plane lists them after a reconnect.
func (s *Store) Apply(updated []*Resource, removed []string) {
	s.mu.Lock()
	for _, name := range removed {
		s.remove(name)
	}
	for _, r := range updated {
		if r.workload != nil {
			s.putWorkload(r.workload)
		} else {
			s.putService(r.service)
		}
	}
	s.mu.Unlock()
	s.changed.Fire()
}

// remove has only a name to go by. A workload's uid may hold any number of
// slashes, a service's key exactly one.
func (s *Store) remove(name string) {
	if w, ok := s.workloads[name]; ok {
		s.dropWorkload(w)
	} else if svc, ok := s.services[name]; ok && strings.Count(name, "/") == 1 {
		s.dropService(svc)
	}
}

func (s *Store) putWorkload(w *Workload) {
	if old, ok := s.workloads[w.UID()]; ok {
		s.dropWorkload(old)
	}
	s.workloads[w.UID()] = w
	if len(w.Addrs) > 0 {
		s.byPod[w.pod()] = w
	}
	for _, a := range w.indexed() {
		s.byAddress[a] = append(s.byAddress[a], w)
	}
	for key := range w.Spec.GetServices() {
		if s.endpoints[key] == nil {
			s.endpoints[key] = map[string]*Workload{}
		}
		s.endpoints[key][w.UID()] = w
	}
}

func (s *Store) dropWorkload(w *Workload) {
	delete(s.workloads, w.UID())
	if s.byPod[w.pod()] == w {
		delete(s.byPod, w.pod())
	}
	for _, a := range w.indexed() {
		removeFrom(s.byAddress, a, w)
	}
	for key := range w.Spec.GetServices() {
		delete(s.endpoints[key], w.UID())
		if len(s.endpoints[key]) == 0 {
			delete(s.endpoints, key)
		}
	}
}

// putService leaves the endpoints alone: they belong to the workloads.
func (s *Store) putService(svc *Service) {
	if old, ok := s.services[svc.Key()]; ok {
		s.dropService(old)
	}
	s.services[svc.Key()] = svc
	for _, a := range svc.VIPs {
		s.byVIP[a] = append(s.byVIP[a], svc)
	}
	if len(svc.Ranges) > 0 {
		s.ranges[svc.Key()] = svc.Ranges
	}
}

func (s *Store) dropService(svc *Service) {
	delete(s.services, svc.Key())
	delete(s.ranges, svc.Key())
	for _, a := range svc.VIPs {
		removeFrom(s.byVIP, a, svc)
	}
}

// removeFrom builds a new list, for readers may hold the old one.
func removeFrom[V comparable](index map[Address][]V, key Address, gone V) {
	left := slices.DeleteFunc(slices.Clone(index[key]), func(v V) bool { return v == gone })
	if len(left) == 0 {
		delete(index, key)
		return
	}
	index[key] = left
}

// CheckName refuses a resource that is called otherwise on the wire than by its
// content: its removal could not be matched to it later.
func (r *Resource) CheckName(name string) error {
	if name != r.Name() {
		return fmt.Errorf("resource %q calls itself %q", name, r.Name())
	}
	return nil
}

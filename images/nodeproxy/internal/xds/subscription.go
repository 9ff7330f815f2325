package xds

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
)

// Type is one kind of resource and the table it goes to.
type Type struct {
	URL string
	// Apply takes over what it can and returns the reason for each resource it
	// refuses, by name.
	Apply func(resources []*discovery.Resource, removed []string) map[string]error
	// Held, where given, tells whether something is in force under a name. What
	// is refused and not held is then missed: the mesh is not known without it.
	Held func(name string) bool
}

// subscription remembers what is held of one type, across streams.
type subscription struct {
	Type
	versions map[string]string
	missed   map[string]error // why, by name
	received bool
	renewed  bool // on a stream that has not brought anything yet
}

func newSubscription(t Type) *subscription {
	return &subscription{Type: t, versions: map[string]string{}, missed: map[string]error{}}
}

// held is a copy: the message it goes into outlives the call.
func (s *subscription) held() map[string]string { return maps.Clone(s.versions) }

// receive applies a response. A refused resource keeps the version held before,
// so that the control plane sends it again after a reconnect.
func (s *subscription) receive(response *discovery.DeltaDiscoveryResponse) error {
	refused := s.Apply(response.GetResources(), response.GetRemovedResources())
	s.note(response, refused)
	s.received = true
	for _, name := range response.GetRemovedResources() {
		delete(s.versions, name)
	}
	for _, r := range response.GetResources() {
		if refused[r.GetName()] == nil {
			s.versions[r.GetName()] = r.GetVersion()
		}
	}
	return joined(refused)
}

// note remembers what is missed. The first answer of a stream names everything
// that is not held, so what it leaves out is gone.
func (s *subscription) note(response *discovery.DeltaDiscoveryResponse, refused map[string]error) {
	if s.renewed {
		clear(s.missed)
		s.renewed = false
	}
	for _, name := range response.GetRemovedResources() {
		delete(s.missed, name)
	}
	for _, r := range response.GetResources() {
		delete(s.missed, r.GetName())
		if err := refused[r.GetName()]; err != nil && s.Held != nil && !s.Held(r.GetName()) {
			s.missed[r.GetName()] = err
		}
	}
}

func joined(refused map[string]error) error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		all = append(all, fmt.Errorf("%s: %w", name, refused[name]))
	}
	return errors.Join(all...)
}

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
}

// subscription remembers what is held of one type, across streams.
type subscription struct {
	apply    func([]*discovery.Resource, []string) map[string]error
	versions map[string]string
	received bool
}

// held is a copy: the message it goes into outlives the call.
func (s *subscription) held() map[string]string { return maps.Clone(s.versions) }

// receive applies a response. A refused resource keeps the version held before,
// so that the control plane sends it again after a reconnect.
func (s *subscription) receive(response *discovery.DeltaDiscoveryResponse) error {
	refused := s.apply(response.GetResources(), response.GetRemovedResources())
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

func joined(refused map[string]error) error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		all = append(all, fmt.Errorf("%s: %w", name, refused[name]))
	}
	return errors.Join(all...)
}

package xds

import (
	"fmt"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

const (
	addressURL       = "type.googleapis.com/istio.workload.Address"
	authorizationURL = "type.googleapis.com/istio.security.Authorization"
)

// Addresses are the workloads and services of the mesh.
func Addresses(store *state.Store) Type {
	return Type{URL: addressURL, Apply: func(resources []*discovery.Resource, removed []string) map[string]error {
		var accepted []*state.Resource
		refused := map[string]error{}
		for _, r := range resources {
			resource, err := decodeAddress(r)
			if err != nil {
				refused[r.GetName()] = err
			}
			if resource != nil {
				accepted = append(accepted, resource)
			}
		}
		store.Apply(accepted, removed)
		return refused
	}}
}

// decodeAddress may return a resource beside an error: see state.Check.
func decodeAddress(r *discovery.Resource) (*state.Resource, error) {
	address := &workloadapi.Address{}
	if err := decode(r, address, addressURL); err != nil {
		return nil, err
	}
	resource, err := state.Check(address)
	if resource == nil {
		return nil, err
	}
	if err := resource.CheckName(r.GetName()); err != nil {
		return nil, err
	}
	return resource, err
}

// Authorizations are the L4 policies of the mesh. One that can be read and not
// understood is refused, and denies what it applies to; bytes that cannot be
// read leave in force what was held under their name. Where nothing was held
// nobody knows whom they were to keep out: see Type.Held.
func Authorizations(table *rbac.Table) Type {
	return Type{URL: authorizationURL, Held: table.Has, Apply: func(resources []*discovery.Resource, removed []string) map[string]error {
		accepted := map[string]*rbac.Policy{}
		refused := map[string]error{}
		for _, r := range resources {
			policy, err := decodeAuthorization(r)
			if err != nil {
				refused[r.GetName()] = err
			}
			if policy != nil {
				accepted[r.GetName()] = policy
			}
		}
		table.Apply(accepted, removed)
		return refused
	}}
}

func decodeAuthorization(r *discovery.Resource) (*rbac.Policy, error) {
	spec := &security.Authorization{}
	if err := decode(r, spec, authorizationURL); err != nil {
		return nil, err
	}
	policy := rbac.Compile(spec)
	return policy, policy.Unclear
}

func decode(r *discovery.Resource, into proto.Message, url string) error {
	if got := r.GetResource().GetTypeUrl(); got != url {
		return fmt.Errorf("resource is of type %q", got)
	}
	if err := proto.Unmarshal(r.GetResource().GetValue(), into); err != nil {
		return fmt.Errorf("decode resource: %w", err)
	}
	return nil
}

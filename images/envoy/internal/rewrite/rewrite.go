// Package rewrite turns the resources that Istio generates for its own build of Envoy into ones that
// an upstream release build accepts. It removes the filters that only Istio's build contains and
// exchanges filter-state factories that only it registers; everything else keeps its exact bytes.
//
// It is not a validator: what it does not recognise it passes on, so that Envoy itself rejects it and
// the rejection is seen.
package rewrite

import (
	"fmt"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matching "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	httpstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	listenerstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/set_filter_state/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	netstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"
	upstreamhttp "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
)

// Change is one kind of difference between what Istio sent and what Envoy gets. Two equal changes in
// different resources are the same kind.
type Change struct {
	// What was done, for example "dropped HTTP filter".
	What string
	// Name of the message type, factory or object key that it was done to.
	Name string
}

// Rewriter rewrites resources. It holds no state between calls and may be shared.
type Rewriter struct {
	containers *protoregistry.Types
}

// New makes a rewriter that looks into every configuration that can hold a filter or a filter-state
// value. Any configuration outside this list stays an opaque string of bytes.
func New() (*Rewriter, error) {
	containers := new(protoregistry.Types)
	for _, message := range []proto.Message{
		&listener.Listener{}, &cluster.Cluster{}, &core.TypedExtensionConfig{}, &discovery.Resource{},
		&route.RouteConfiguration{}, &route.ScopedRouteConfiguration{}, &route.VirtualHost{}, &route.FilterConfig{},
		&hcm.HttpConnectionManager{}, &upstreamhttp.HttpProtocolOptions{}, &matching.ExtensionWithMatcher{},
		&httpstate.Config{}, &netstate.Config{}, &listenerstate.Config{},
	} {
		if err := containers.RegisterMessage(message.ProtoReflect().Type()); err != nil {
			return nil, fmt.Errorf("register %s as a container: %w", message.ProtoReflect().Descriptor().FullName(), err)
		}
	}
	return &Rewriter{containers: containers}, nil
}

// Resource rewrites one resource in place and lists what was changed. Without a change not a byte of
// it is touched. A changed resource is encoded deterministically, so that equal input gives equal
// output and Envoy sees no update where there is none.
func (r *Rewriter) Resource(resource *anypb.Any) []Change {
	w := walk{containers: r.containers}
	w.packed(resource)
	return w.changes
}

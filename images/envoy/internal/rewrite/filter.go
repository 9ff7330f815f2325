package rewrite

import (
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	state "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// Factories of upstream Envoy that stand in for Istio's. Both hold a string; the hashable one also
// takes part in the choice of the upstream connection pool, as Istio's does.
const (
	hashableFactory = "envoy.hashable_string"
	stringFactory   = "envoy.string"
)

// filterKind names the messages that put a filter into a chain, wherever such a chain stands.
func filterKind(message protoreflect.FullName) (string, bool) {
	switch message {
	case "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter":
		return "HTTP filter", true
	case "envoy.config.listener.v3.Filter":
		return "network filter", true
	case "envoy.config.listener.v3.ListenerFilter":
		return "listener filter", true
	case "envoy.config.cluster.v3.Filter":
		return "cluster filter", true
	}
	return "", false
}

// foreignFilter returns the type of a filter that has to go, and "" for one that may stay.
func foreignFilter(filter protoreflect.Message) string {
	if config, ok := submessage(filter, "typed_config").(*anypb.Any); ok {
		if name := configuredType(config); ForeignType(name) {
			return name
		}
		return ""
	}
	source, ok := submessage(filter, "config_discovery").(*core.ExtensionConfigSource)
	if !ok || len(source.GetTypeUrls()) == 0 {
		return ""
	}
	for _, url := range source.GetTypeUrls() {
		if !ForeignType(url) {
			return ""
		}
	}
	return messageName(source.GetTypeUrls()[0])
}

func submessage(message protoreflect.Message, name protoreflect.Name) any {
	field := message.Descriptor().Fields().ByName(name)
	if field == nil || !message.Has(field) {
		return nil
	}
	return message.Get(field).Message().Interface()
}

// discoverySource takes foreign types off the list of what a discovered filter may be: Envoy refuses
// the whole filter when it has no factory for one of them.
func (w *walk) discoverySource(message protoreflect.Message) bool {
	changed := w.fields(message)
	source, ok := message.Interface().(*core.ExtensionConfigSource)
	if !ok {
		return changed
	}
	kept := make([]string, 0, len(source.GetTypeUrls()))
	for _, url := range source.GetTypeUrls() {
		if ForeignType(url) {
			w.note("dropped discoverable filter type", messageName(url))
			continue
		}
		kept = append(kept, url)
	}
	if len(kept) == len(source.GetTypeUrls()) {
		return changed
	}
	source.TypeUrls = kept
	return true
}

// filterState exchanges the factory of one filter-state value, or names one for a key of Istio's that
// relied on a factory registered under the key itself.
func (w *walk) filterState(message protoreflect.Message) bool {
	value, ok := message.Interface().(*state.FilterStateValue)
	if !ok {
		return false
	}
	switch factory := value.GetFactoryKey(); {
	case istioName(factory):
		w.note("exchanged filter-state factory for "+hashableFactory, factory)
		value.FactoryKey = hashableFactory
	case factory == "" && istioName(value.GetObjectKey()):
		w.note("named "+stringFactory+" as factory of filter-state key", value.GetObjectKey())
		value.FactoryKey = stringFactory
	default:
		return false
	}
	return true
}

func istioName(name string) bool {
	return strings.HasPrefix(name, "istio.") || strings.HasPrefix(name, "io.istio.")
}

package rewrite

import (
	"bytes"
	"strings"

	udpa "github.com/cncf/xds/go/udpa/type/v1"
	xds "github.com/cncf/xds/go/xds/type/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matching "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// maxNesting bounds how deep configurations may wrap one another. Istio's deepest chain is
// listener, connection manager, matcher, filter; anything beyond the bound is passed on unread.
const maxNesting = 16

// ForeignType says whether only Istio's own build of Envoy knows the message type at url. The
// argument is a type URL or a bare message name.
func ForeignType(url string) bool {
	name := messageName(url)
	for _, prefix := range []string{"io.istio.", "istio.", "stats."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.Contains(name, "peer_metadata") || strings.Contains(name, "metadataexchange")
}

// mayNeedChange is a cheap sieve in front of decoding. Type names, factory names and object keys lie
// in the wire format as plain bytes, however deeply nested, so a resource without any of these
// fragments cannot hold anything that has to change.
func mayNeedChange(raw []byte) bool {
	for _, fragment := range []string{"istio.", "stats.", "peer_metadata", "metadataexchange"} {
		if bytes.Contains(raw, []byte(fragment)) {
			return true
		}
	}
	return false
}

func messageName(url string) string {
	return url[strings.LastIndexByte(url, '/')+1:]
}

// configuredType is the message name of the extension that config configures, seen through the
// wrappers that may stand around it. A wrapper that cannot be decoded counts as its own type.
func configuredType(config *anypb.Any) string {
	for range maxNesting {
		inner, wrapped := unwrap(config)
		if !wrapped {
			return messageName(config.GetTypeUrl())
		}
		config = inner
	}
	return ""
}

// unwrap opens one wrapper. For a TypedStruct only the type name is of interest, so what comes back
// then is an Any without a value.
func unwrap(config *anypb.Any) (*anypb.Any, bool) {
	message := wrapperNamed(messageName(config.GetTypeUrl()))
	if message == nil || proto.Unmarshal(config.GetValue(), message) != nil {
		return nil, false
	}
	inner := wrapped(message)
	return inner, inner != nil
}

func wrapperNamed(name string) proto.Message {
	for _, candidate := range []proto.Message{
		&udpa.TypedStruct{}, &xds.TypedStruct{}, &route.FilterConfig{}, &matching.ExtensionWithMatcher{},
	} {
		if string(candidate.ProtoReflect().Descriptor().FullName()) == name {
			return candidate
		}
	}
	return nil
}

func wrapped(message proto.Message) *anypb.Any {
	switch wrapper := message.(type) {
	case *udpa.TypedStruct:
		return &anypb.Any{TypeUrl: wrapper.GetTypeUrl()}
	case *xds.TypedStruct:
		return &anypb.Any{TypeUrl: wrapper.GetTypeUrl()}
	case *route.FilterConfig:
		return wrapper.GetConfig()
	case *matching.ExtensionWithMatcher:
		return wrapper.GetExtensionConfig().GetTypedConfig()
	}
	return nil
}

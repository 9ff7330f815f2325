package rewrite

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
)

// walk is one pass over one resource.
type walk struct {
	containers *protoregistry.Types
	changes    []Change
	depth      int
}

func (w *walk) note(what, name string) {
	w.changes = append(w.changes, Change{What: what, Name: name})
}

// packed rewrites the message inside config and packs it again only if it changed.
func (w *walk) packed(config *anypb.Any) bool {
	if w.depth >= maxNesting || !mayNeedChange(config.GetValue()) {
		return false
	}
	kind, err := w.containers.FindMessageByURL(config.GetTypeUrl())
	if err != nil {
		return false
	}
	message := kind.New()
	if proto.Unmarshal(config.GetValue(), message.Interface()) != nil {
		return false
	}
	return w.repack(config, message)
}

func (w *walk) repack(config *anypb.Any, message protoreflect.Message) bool {
	before := len(w.changes)
	w.depth++
	changed := w.node(message)
	w.depth--
	if !changed {
		return false
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(message.Interface())
	if err != nil {
		w.changes = w.changes[:before]
		return false
	}
	config.Value = raw
	return true
}

// node rewrites one decoded message and says whether anything in it changed.
func (w *walk) node(message protoreflect.Message) bool {
	switch message.Descriptor().FullName() {
	case "google.protobuf.Any":
		config, ok := message.Interface().(*anypb.Any)
		return ok && w.packed(config)
	case "google.protobuf.Struct":
		return false
	case "envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue":
		return w.filterState(message)
	case "envoy.config.core.v3.ExtensionConfigSource":
		return w.discoverySource(message)
	}
	return w.fields(message)
}

func (w *walk) fields(message protoreflect.Message) bool {
	changed := false
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			changed = w.entries(field, value.Map()) || changed
		case field.Message() == nil:
		case field.IsList():
			changed = w.elements(field, value.List()) || changed
		default:
			changed = w.node(value.Message()) || changed
		}
		return true
	})
	return changed
}

func (w *walk) entries(field protoreflect.FieldDescriptor, entries protoreflect.Map) bool {
	if field.MapValue().Message() == nil {
		return false
	}
	changed := false
	entries.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		if w.foreignOverride(field, value) {
			entries.Clear(key)
			changed = true
			return true
		}
		changed = w.node(value.Message()) || changed
		return true
	})
	return changed
}

// foreignOverride recognises the per-route settings of a filter that is itself dropped.
func (w *walk) foreignOverride(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
	config, ok := value.Message().Interface().(*anypb.Any)
	if !ok || field.Name() != "typed_per_filter_config" {
		return false
	}
	name := configuredType(config)
	if !ForeignType(name) {
		return false
	}
	w.note("dropped per-route filter settings", name)
	return true
}

func (w *walk) elements(field protoreflect.FieldDescriptor, list protoreflect.List) bool {
	kind, isFilter := filterKind(field.Message().FullName())
	changed, kept := false, 0
	for i := range list.Len() {
		element := list.Get(i)
		if name := ""; isFilter {
			if name = foreignFilter(element.Message()); name != "" {
				w.note("dropped "+kind, name)
				changed = true
				continue
			}
		}
		changed = w.node(element.Message()) || changed
		list.Set(kept, element)
		kept++
	}
	list.Truncate(kept)
	return changed
}

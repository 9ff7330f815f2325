package rbac

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"istio.io/istio/pkg/workloadapi/security"
)

// unknownParts finds what a newer control plane may say and this program does
// not understand: enum values and fields without a definition. Extensions are
// defined, and are not about authorisation.
func unknownParts(spec *security.Authorization) error {
	if _, ok := security.Action_name[int32(spec.GetAction())]; !ok {
		return fmt.Errorf("authorization %s/%s: unknown action %d", spec.GetNamespace(), spec.GetName(), spec.GetAction())
	}
	if _, ok := security.Scope_name[int32(spec.GetScope())]; !ok {
		return fmt.Errorf("authorization %s/%s: unknown scope %d", spec.GetNamespace(), spec.GetName(), spec.GetScope())
	}
	if hasUnknownFields(spec.ProtoReflect()) {
		return fmt.Errorf("authorization %s/%s: fields of a later version", spec.GetNamespace(), spec.GetName())
	}
	return nil
}

func hasUnknownFields(m protoreflect.Message) bool {
	if len(m.GetUnknown()) > 0 {
		return true
	}
	found := false
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil || field.Name() == "extensions" {
			return true
		}
		found = anyUnknown(field, value)
		return !found
	})
	return found
}

func anyUnknown(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
	if !field.IsList() {
		return hasUnknownFields(value.Message())
	}
	for i := range value.List().Len() {
		if hasUnknownFields(value.List().Get(i).Message()) {
			return true
		}
	}
	return false
}

package kube

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ApplyError is an object that the API server did not take: which file, which
// object, which fields if it named any, and its own words.
type ApplyError struct {
	File   string
	Object string
	Fields []string
	Err    error
}

func (e *ApplyError) Error() string {
	where := ""
	if len(e.Fields) > 0 {
		where = " (field " + strings.Join(e.Fields, ", ") + ")"
	}
	return fmt.Sprintf("apply %s from %s%s: the api server says: %v", e.Object, e.File, where, e.Err)
}

// Unwrap gives the server's status.
func (e *ApplyError) Unwrap() error { return e.Err }

func refusal(manifest Manifest, err error) error {
	if meta.IsNoMatchError(err) {
		gvk := manifest.Object.GroupVersionKind()
		err = fmt.Errorf("it knows no %s: is the custom resource definition of %s installed? %w", gvk.Kind, gvk.GroupVersion(), err)
	}
	return &ApplyError{File: manifest.File, Object: manifest.String(), Fields: fieldsIn(err), Err: err}
}

// How the server names fields: strict decoding quotes them, server-side apply
// puts a path that starts with a dot before its complaint.
var (
	quotedField  = regexp.MustCompile(`(?:unknown|duplicate) field "([^"]+)"`)
	pathOfSchema = regexp.MustCompile(`(?:^|[\s\[,])\.([A-Za-z][^:\s]*): (?:field not declared|expected|duplicate)`)
)

// fieldsIn reads the names of the fields off an error of the API server.
func fieldsIn(err error) []string {
	var fields []string
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			if cause.Field != "" && cause.Field != "<nil>" {
				fields = append(fields, cause.Field)
			}
		}
	}
	for _, pattern := range []*regexp.Regexp{quotedField, pathOfSchema} {
		for _, match := range pattern.FindAllStringSubmatch(err.Error(), -1) {
			fields = append(fields, match[1])
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// sameContent compares two states of one object but for the server's books.
func sameContent(a, b *unstructured.Unstructured) bool {
	return reflect.DeepEqual(content(a), content(b))
}

func content(object *unstructured.Unstructured) map[string]any {
	plain := object.DeepCopy()
	plain.SetManagedFields(nil)
	plain.SetResourceVersion("")
	plain.SetGeneration(0)
	unstructured.RemoveNestedField(plain.Object, "status")
	return plain.Object
}

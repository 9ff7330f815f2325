package kube

import (
	"fmt"
	"reflect"
	"sort"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Pruned lists the fields of sent that stored lacks, as paths like
// spec.rules[0].filters[0].requestMirror.percentage, sorted. What the server
// adds or normalises (quantities) does not count, nor does an empty value that
// it drops, for nothing was lost.
//
// Lists are compared by position, except that a stored list of another length
// is searched: servers may add entries, and keyed lists may come back sorted.
func Pruned(sent, stored *unstructured.Unstructured) []string {
	var lost []string
	compare("", withoutStatus(sent), withoutStatus(stored), &lost)
	sort.Strings(lost)
	return lost
}

func withoutStatus(object *unstructured.Unstructured) map[string]any {
	content := map[string]any{}
	for key, value := range object.Object {
		if key != "status" {
			content[key] = value
		}
	}
	return content
}

func compare(path string, sent, stored any, lost *[]string) {
	switch value := sent.(type) {
	case map[string]any:
		compareMap(path, value, stored, lost)
	case []any:
		compareList(path, value, stored, lost)
	}
}

func compareMap(path string, sent map[string]any, stored any, lost *[]string) {
	have, _ := stored.(map[string]any)
	for key, value := range sent {
		at := join(path, key)
		kept, ok := have[key]
		if ok {
			compare(at, value, kept, lost)
		} else if !empty(value) {
			*lost = append(*lost, at)
		}
	}
}

func compareList(path string, sent []any, stored any, lost *[]string) {
	have, _ := stored.([]any)
	for i, value := range sent {
		at := path + "[" + strconv.Itoa(i) + "]"
		partner, ok := partnerOf(i, value, have)
		if !ok {
			*lost = append(*lost, at)
			continue
		}
		compare(at, value, partner, lost)
	}
}

// partnerOf finds the stored entry that belongs to the i-th sent one: the one
// of the same name where entries have names, else the one at its place.
func partnerOf(i int, value any, have []any) (any, bool) {
	if name := nameOf(value); name != "" {
		for _, entry := range have {
			if nameOf(entry) == name {
				return entry, true
			}
		}
	}
	if i < len(have) {
		return have[i], true
	}
	return nil, false
}

func nameOf(value any) string {
	entry, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	name, _ := entry["name"].(string)
	return name
}

func empty(value any) bool {
	if value == nil {
		return true
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return allEmpty(value)
	default:
		return v.IsZero()
	}
}

func allEmpty(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, entry := range v {
			if !empty(entry) {
				return false
			}
		}
	case []any:
		return len(v) == 0
	}
	return true
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return fmt.Sprintf("%s.%s", path, key)
}

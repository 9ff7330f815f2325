package kube

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/e2e-framework/klient/decoder"
	"sigs.k8s.io/e2e-framework/klient/k8s"
)

// Manifest is one object and the file it came from, which errors and findings
// name. The object is unstructured on purpose: a typed one would lose unknown
// fields before the server could refuse them.
type Manifest struct {
	File   string
	Object *unstructured.Unstructured
}

// String names the object as kind namespace/name.
func (m Manifest) String() string { return Name(m.Object) }

// Name is "HTTPRoute travel-agency/cars", or "Namespace travel-agency" where
// there is no namespace.
func Name(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetKind() + " " + object.GetName()
	}
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

// Decode reads a stream of YAML documents. Documents without a kind (comments
// only) are skipped; anything else that is no object is an error.
func Decode(file string, stream io.Reader) ([]Manifest, error) {
	var manifests []Manifest
	documents := yaml.NewYAMLReader(bufio.NewReader(stream))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return manifests, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s document %d: %w", file, number, err)
		}
		object, err := decodeOne(document)
		if err != nil {
			return nil, fmt.Errorf("decode %s document %d: %w", file, number, err)
		}
		if object != nil {
			manifests = append(manifests, Manifest{File: file, Object: object})
		}
	}
}

func decodeOne(document []byte) (*unstructured.Unstructured, error) {
	var content map[string]any
	if err := yaml.Unmarshal(document, &content); err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	if err := decoder.Decode(bytes.NewReader(document), object); err != nil {
		return nil, err
	}
	if object.GetName() == "" {
		return nil, fmt.Errorf("%s without a name", object.GetKind())
	}
	return object, nil
}

// DecodeFile reads the YAML documents of one file of fsys.
func DecodeFile(fsys fs.FS, file string) ([]Manifest, error) {
	stream, err := fsys.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open manifest: %w", err)
	}
	defer func() { _ = stream.Close() }()
	return Decode(file, stream)
}

// Typed turns objects of known Go types into manifests; source stands where a
// file name would.
func Typed(source string, objects ...k8s.Object) ([]Manifest, error) {
	manifests := make([]Manifest, 0, len(objects))
	for _, object := range objects {
		gvk, err := apiutil.GVKForObject(object, scheme.Scheme)
		if err != nil {
			return nil, fmt.Errorf("kind of %s from %s: %w", object.GetName(), source, err)
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return nil, fmt.Errorf("convert %s %s from %s: %w", gvk.Kind, object.GetName(), source, err)
		}
		plain := &unstructured.Unstructured{Object: content}
		plain.SetGroupVersionKind(gvk)
		dropEmpty(plain)
		manifests = append(manifests, Manifest{File: source, Object: plain})
	}
	return manifests, nil
}

// dropEmpty removes what typed structs always carry: a status, and a creation
// time of null.
func dropEmpty(object *unstructured.Unstructured) {
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(object.Object, "spec", "template", "metadata", "creationTimestamp")
}

func decodeJSON(raw []byte, into any, what string) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decode %s: %w", what, err)
	}
	return nil
}

// Into fills a typed object from an unstructured one.
func Into(object *unstructured.Unstructured, typed any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil {
		return fmt.Errorf("convert %s: %w", Name(object), err)
	}
	return nil
}

package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/peer"
)

// echoImage is how the name of the image ends that is exchanged, wherever
// upstream has it from.
const echoImage = "/echo-advanced"

// Manifests are upstream's of the mesh profile, with another echo image (the
// same if empty) and the defect of one mutant (none if nil). A suite must have no
// other beside it: it concatenates what it finds under one name.
func Manifests(origin fs.FS, echo string, mutant *peer.Mutant) (fs.FS, error) {
	made := fstest.MapFS{}
	for _, pattern := range []string{"mesh/*.yaml", "tests/mesh/*.yaml"} {
		names, err := fs.Glob(origin, pattern)
		if err != nil {
			return nil, fmt.Errorf("list upstream's manifests: %w", err)
		}
		for _, name := range names {
			text, err := change(origin, name, editor{echo: echo, mutant: mutant})
			if err != nil {
				return nil, fmt.Errorf("change upstream's manifest %s: %w", name, err)
			}
			made[name] = &fstest.MapFile{Data: text, Mode: 0o444}
		}
	}
	return made, nil
}

// editor changes the documents of a file.
type editor struct {
	echo   string
	mutant *peer.Mutant // of this file; nil for none
	found  bool         // the mutant's route
}

// change edits a file. A file in which nothing is to be changed stays as it is,
// to the byte.
func change(origin fs.FS, name string, e editor) ([]byte, error) {
	text, err := fs.ReadFile(origin, name)
	if err != nil {
		return nil, err
	}
	if e.mutant != nil && e.mutant.Manifest != name {
		e.mutant = nil
	}
	var made bytes.Buffer
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			document, err = e.edit(document)
		}
		if err != nil {
			return nil, err
		}
		if len(document) > 0 { // a document of nothing is an object without a kind to upstream
			made.WriteString("---\n")
			made.Write(document)
		}
	}
	switch {
	case e.mutant != nil && !e.found:
		return nil, fmt.Errorf("no HTTPRoute %s for mutant %s", e.mutant.Route, e.mutant.Name)
	case e.mutant != nil || e.echo != "" && bytes.Contains(text, []byte(echoImage)):
		return made.Bytes(), nil
	}
	return text, nil
}

// edit changes one document, or leaves nothing of it.
func (e *editor) edit(document []byte) ([]byte, error) {
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(document, &object.Object); err != nil {
		return nil, err
	}
	switch {
	case object.GetKind() == "Deployment" && e.echo != "":
		if err := exchange(object, e.echo); err != nil {
			return nil, err
		}
		return yaml.Marshal(object.Object)
	case object.GetKind() == "HTTPRoute" && e.mutant != nil && object.GetName() == e.mutant.Route:
		e.found = true
		return spoil(document, e.mutant.Change)
	}
	return document, nil
}

// exchange has a Deployment run the other echo image.
func exchange(deployment *unstructured.Unstructured, echo string) error {
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(deployment.Object, path...)
	if err != nil {
		return err
	}
	for _, container := range containers {
		fields, _ := container.(map[string]any)
		reference, _ := fields["image"].(string)
		if name := reference[:max(0, strings.LastIndex(reference, ":"))]; strings.HasSuffix(name, echoImage) {
			fields["image"] = echo
		}
	}
	return unstructured.SetNestedSlice(deployment.Object, containers, path...)
}

// spoil makes a mutant's defect in its route: without a change it is missing. A
// field that the type does not know would be lost, so it is an error.
func spoil(document []byte, change func(*gatewayv1.HTTPRoute)) ([]byte, error) {
	if change == nil {
		return nil, nil
	}
	var route gatewayv1.HTTPRoute
	if err := yaml.UnmarshalStrict(document, &route); err != nil {
		return nil, err
	}
	change(&route)
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&route)
	if err != nil {
		return nil, err
	}
	delete(fields, "status") // the mesh's to write
	return yaml.Marshal(fields)
}

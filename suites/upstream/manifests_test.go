package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/peer"
)

const loaded = "wayproof.local/echo:1"

// files are the manifests of the mesh profile by name, as text.
func files(t *testing.T, from fs.FS) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"mesh/*.yaml", "tests/mesh/*.yaml"} {
		names, err := fs.Glob(from, pattern)
		require.NoError(t, err)
		for _, name := range names {
			text, err := fs.ReadFile(from, name)
			require.NoError(t, err)
			texts[name] = string(text)
		}
	}
	require.Greater(t, len(texts), 15)
	return texts
}

// objects decodes a file, by kind and name.
func objects(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		var fields map[string]any
		require.NoError(t, yaml.UnmarshalStrict(document, &fields))
		object := unstructured.Unstructured{Object: fields}
		found[object.GetKind()+" "+object.GetNamespace()+"/"+object.GetName()] = fields
	}
}

func TestTheSoundManifestsChangeOnlyTheImage(t *testing.T) {
	sound, err := Manifests(conformance.Manifests, loaded, nil)
	require.NoError(t, err)
	original, exchanged := files(t, conformance.Manifests), 0
	for name, text := range files(t, sound) {
		if name != "mesh/manifests.yaml" {
			assert.Equal(t, original[name], text, name)
			continue
		}
		want := objects(t, original[name])
		for key, fields := range objects(t, text) {
			if strings.HasPrefix(key, "Deployment ") {
				exchanged++
				image := containers(t, fields)[0]["image"]
				assert.Equal(t, loaded, image, key)
				containers(t, want[key])[0]["image"] = image
			}
			assert.Equal(t, want[key], fields, key)
			delete(want, key)
		}
		assert.Empty(t, want)
	}
	assert.GreaterOrEqual(t, exchanged, 3, "every echo runs the loaded image")
}

// containers are those of a Deployment, which decodes strictly.
func containers(t *testing.T, fields map[string]any) []map[string]any {
	t.Helper()
	text, err := yaml.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(text, new(appsv1.Deployment)))
	list, _, err := unstructured.NestedFieldNoCopy(fields, "spec", "template", "spec", "containers")
	require.NoError(t, err)
	var all []map[string]any
	for _, entry := range list.([]any) {
		all = append(all, entry.(map[string]any))
	}
	require.NotEmpty(t, all)
	return all
}

func TestWithoutAnImageUpstreamsOwnIsLeft(t *testing.T) {
	sound, err := Manifests(conformance.Manifests, "", nil)
	require.NoError(t, err)
	assert.Equal(t, files(t, conformance.Manifests), files(t, sound))
}

// Each mutant changes exactly its route, and what it makes of it is one that the
// API's types take.
func TestEveryMutantChangesItsRouteAlone(t *testing.T) {
	original := files(t, conformance.Manifests)
	for _, mutant := range peer.Mutants() {
		made, err := Manifests(conformance.Manifests, "", &mutant)
		require.NoError(t, err, mutant.Name)
		for name, text := range files(t, made) {
			if name != mutant.Manifest {
				assert.Equal(t, original[name], text, "%s: %s", mutant.Name, name)
				continue
			}
			before, after := objects(t, original[name]), objects(t, text)
			key := "HTTPRoute " + peer.Namespace + "/" + mutant.Route
			require.Contains(t, before, key, mutant.Name)
			assert.Equal(t, mutant.Change == nil, after[key] == nil, mutant.Name)
			assert.NotEqual(t, before[key], after[key], mutant.Name)
			strict(t, mutant.Name, after[key])
			delete(before, key)
			delete(after, key)
			assert.Equal(t, before, after, mutant.Name)
		}
	}
}

func strict(t *testing.T, mutant string, fields map[string]any) {
	t.Helper()
	text, err := yaml.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(text, new(gatewayv1.HTTPRoute)), mutant)
	assert.NotContains(t, fields, "status", mutant)
}

// What is encoded again without a defect is what it was: a mutant is its change
// and nothing besides.
func TestEncodingAgainChangesNothing(t *testing.T) {
	for name, text := range files(t, conformance.Manifests) {
		for key, fields := range objects(t, text) {
			if !strings.HasPrefix(key, "HTTPRoute ") {
				continue
			}
			document, err := yaml.Marshal(fields)
			require.NoError(t, err)
			again, err := spoil(document, func(*gatewayv1.HTTPRoute) {})
			require.NoError(t, err)
			assert.Equal(t, fields, objects(t, string(again))[key], name)
		}
	}
}

func TestADefectWithoutItsRouteIsAnError(t *testing.T) {
	mutant := peer.Mutants()[0]
	mutant.Route = "no-such-route"
	_, err := Manifests(conformance.Manifests, "", &mutant)
	require.ErrorContains(t, err, "no-such-route")
}

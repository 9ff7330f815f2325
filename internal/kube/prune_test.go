package kube

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	manifests, err := Decode("test.yaml", strings.NewReader(text))
	require.NoError(t, err)
	require.Len(t, manifests, 1)
	return manifests[0].Object
}

const head = "{apiVersion: v1, kind: Thing, metadata: {name: x}, "

func TestPruned(t *testing.T) {
	for name, tc := range map[string]struct {
		sent, stored string
		lost         []string
	}{
		"the workshop's mirror": {
			"spec: {rules: [{filters: [{type: RequestMirror, requestMirror: {percentage: 100, backendRef: {name: cars-v2}}}]}]}}",
			"spec: {rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cars-v2, group: '', kind: Service}}}]}]}}",
			[]string{"spec.rules[0].filters[0].requestMirror.percentage"},
		},
		"defaults and status do not count": {
			"spec: {a: 1}, status: {phase: x}}", "spec: {a: 1, b: 2}, status: {}}", nil,
		},
		"normalised quantities do not count": {"spec: {cpu: 1000m}}", "spec: {cpu: '1'}}", nil},
		"dropped empties do not count":       {"spec: {a: {}, b: [], c: '', d: false, e: {f: null}}}", "spec: {}}", nil},
		"named entries may be sorted": {
			"spec: {ports: [{name: b, x: 1}, {name: a, y: 1}]}}", "spec: {ports: [{name: a, y: 1}, {name: b, x: 1}]}}", nil,
		},
		"a whole branch":       {"spec: {a: {b: {c: 1}}}}", "spec: {}}", []string{"spec.a"}},
		"an entry of a list":   {"spec: {l: [{q: 1}, {q: 2}]}}", "spec: {l: [{q: 1}]}}", []string{"spec.l[1]"}},
		"map became something": {"spec: {a: {b: 1}}}", "spec: {a: text}}", []string{"spec.a.b"}},
	} {
		got := Pruned(object(t, head+tc.sent), object(t, head+tc.stored))
		assert.Equal(t, tc.lost, got, name)
	}
}

func TestPrunedOfItselfIsNothing(t *testing.T) {
	same := object(t, head+"spec: {rules: [{name: a, matches: [{path: {value: /x}}]}, {name: a}], weight: 70}}")
	assert.Empty(t, Pruned(same, same))
}

func TestDecode(t *testing.T) {
	manifests, err := Decode("a.yaml", strings.NewReader("# only words\n---\n"+head+"spec: {}}\n---\n\n---\n"+head+"spec: {}}\n"))
	require.NoError(t, err)
	require.Len(t, manifests, 2)
	assert.Equal(t, "Thing x", manifests[0].String())

	for text, want := range map[string]string{
		"apiVersion: v1\nkind: Thing\n": "a.yaml document 1: Thing without a name",
		"foo: bar\n":                    "a.yaml document 1",
		"a: [\n":                        "a.yaml document 1",
	} {
		_, err := Decode("a.yaml", strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(head + "spec: {}}")
	f.Add("---\n---\n")
	f.Add("kind: List\nitems: []\n")
	f.Fuzz(func(t *testing.T, text string) {
		manifests, err := Decode("fuzz.yaml", strings.NewReader(text))
		if err != nil {
			return
		}
		for _, manifest := range manifests {
			assert.NotEmpty(t, manifest.Object.GetName())
			assert.Empty(t, Pruned(manifest.Object, manifest.Object))
		}
	})
}

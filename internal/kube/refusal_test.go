package kube

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestFieldsInTheServersWords(t *testing.T) {
	for words, want := range map[string][]string{
		`HTTPRoute in version "v1" cannot be handled as a HTTPRoute: strict decoding error: unknown field "spec.rules[0].filters[0].requestMirror.percentage"`:                                       {"spec.rules[0].filters[0].requestMirror.percentage"},
		`failed to create typed patch object (travel-agency/mirror; gateway.networking.k8s.io/v1, Kind=HTTPRoute): .spec.rules[0].filters[0].requestMirror.percentage: field not declared in schema`: {"spec.rules[0].filters[0].requestMirror.percentage"},
		`failed to create typed patch object (a/b; v1, Kind=Service): errors:
  .spec.a: field not declared in schema
  .spec.b: expected list, got &{x}`: {"spec.a", "spec.b"},
		`connection refused`: nil,
	} {
		assert.Equal(t, want, fieldsIn(errors.New(words)), words)
	}
	invalid := &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: http.StatusUnprocessableEntity, Message: "invalid",
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Field: "spec.rules[0]", Message: "no"}, {Field: "<nil>"}}},
	}}
	assert.Equal(t, []string{"spec.rules[0]"}, fieldsIn(invalid))
}

func TestARefusalNamesFileObjectFieldAndWords(t *testing.T) {
	manifest := Manifest{File: "010.yaml", Object: object(t, "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: mirror, namespace: travel-agency}}")}
	err := refusal(manifest, errors.New(`unknown field "spec.x"`))
	assert.EqualError(t, err, `apply HTTPRoute travel-agency/mirror from 010.yaml (field spec.x): the api server says: unknown field "spec.x"`)

	unknown := &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}}
	assert.ErrorContains(t, refusal(manifest, unknown), "is the custom resource definition of gateway.networking.k8s.io/v1 installed?")
}

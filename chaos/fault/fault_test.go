package fault

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
)

func TestEveryFaultOfTheCatalogueExists(t *testing.T) {
	for _, e := range catalogue.Resilience() {
		assert.Contains(t, makers(), e.Fault.Name, e.ID)
	}
	_, err := Make(t.Context(), Site{}, chaos.Spec{Name: "unheard of"})
	require.ErrorContains(t, err, "there are")
	_, err = Make(t.Context(), Site{System: true}, chaos.Spec{Name: "kill", Target: "kube-system/coredns"})
	require.ErrorContains(t, err, "never touched")
}

func TestTheOnlyReplicaIsSpared(t *testing.T) {
	one := []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "a"}}}
	_, err := spare(one, chaos.Spec{})
	require.ErrorContains(t, err, "at most half")
	_, err = spare(one, chaos.Spec{Params: map[string]string{"alone": "yes"}})
	require.NoError(t, err)
	_, err = spare(append(one, one...), chaos.Spec{})
	require.NoError(t, err)
}

func TestLegsBecomePacketRules(t *testing.T) {
	for leg, want := range map[string]string{
		"client-waypoint": "input tcp dport 15008 counter drop",
		"waypoint-istiod": "output tcp dport 15012 counter drop",
	} {
		rule, err := legRule(t.Context(), Site{}, chaos.Spec{Params: map[string]string{"leg": leg}})
		require.NoError(t, err)
		assert.Equal(t, want, rule.Hook+" "+rule.Text)
	}
	rule, err := legRule(t.Context(), Site{}, chaos.Spec{Params: map[string]string{"leg": "client-waypoint", "percent": "10"}})
	require.NoError(t, err)
	assert.Equal(t, "tcp dport 15008 numgen random mod 100 < 10 counter drop", rule.Text)
	for _, params := range []map[string]string{{"leg": "nowhere"}, {"leg": "client-waypoint", "percent": "100"}, {"leg": "client-waypoint", "percent": "1; flush ruleset"}} {
		_, err := legRule(t.Context(), Site{}, chaos.Spec{Params: params})
		assert.Error(t, err, params)
	}
	assert.True(t, counted.MatchString("tcp dport 15008 counter packets 12 bytes 720 drop"))
	assert.False(t, counted.MatchString("tcp dport 15008 counter packets 0 bytes 0 drop"))
}

func TestWeightsAreTurnedAndGivenBack(t *testing.T) {
	route := &unstructured.Unstructured{}
	require.NoError(t, route.UnmarshalJSON([]byte(`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute",
		"metadata":{"name":"r","namespace":"n"},
		"spec":{"rules":[{"backendRefs":[{"name":"v1","weight":70},{"name":"v2","weight":30}]}]}}`)))
	back, forth, err := weightPatches(route)
	require.NoError(t, err)
	assert.JSONEq(t, `{"spec":{"rules":[{"backendRefs":[{"name":"v1","weight":70},{"name":"v2","weight":30}]}]}}`, string(back.Request.Body))
	assert.JSONEq(t, `{"spec":{"rules":[{"backendRefs":[{"name":"v1","weight":30},{"name":"v2","weight":70}]}]}}`, string(forth.Request.Body))
	assert.Equal(t, "/apis/gateway.networking.k8s.io/v1/namespaces/n/httproutes/r", back.Request.Path)
	unstructured.RemoveNestedField(route.Object, "spec")
	_, _, err = weightPatches(route)
	require.Error(t, err)
}

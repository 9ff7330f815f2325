package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

func TestEveryFaultOfTheCatalogueExists(t *testing.T) {
	for _, e := range catalogue.Resilience() {
		assert.Contains(t, makers(), e.Fault.Name, e.ID)
	}
	_, err := Make(t.Context(), Site{}, chaos.Spec{Name: "unheard of"})
	require.ErrorContains(t, err, "there are")
	_, err = Make(t.Context(), Site{System: true}, chaos.Spec{Name: "kill", Target: "kube-system/coredns"})
	require.ErrorContains(t, err, "never touched")
	for _, name := range ofNodes() {
		_, err = Make(t.Context(), Site{}, chaos.Spec{Name: name, Target: "demo/waypoint"})
		require.ErrorContains(t, err, "--system", "a node is more than the demo's")
	}
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

func TestWhatWasOnANodeBeforeMayStay(t *testing.T) {
	before := []string{"stopped process sleep", "stopped process sleep"}
	assert.Empty(t, added(before, before))
	assert.Empty(t, added(before, before[:1]))
	assert.Equal(t, []string{"stopped process envoy"}, added(before, append(before[:2:2], "stopped process envoy")))
	assert.Equal(t, []string{"stopped process sleep"}, added(before, append(before[:2:2], "stopped process sleep")), "one more of the same is one too many")
}

// asked is an API server that notes what it is asked for, and knows one node.
func asked(t *testing.T, node string) (Site, *[]string) {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/version":
			fmt.Fprint(w, `{"gitVersion":"v1.36.0"}`)
		case strings.HasPrefix(r.URL.Path, "/api/v1/nodes/"):
			fmt.Fprint(w, node)
		default:
			fmt.Fprint(w, "{}")
		}
	}))
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(`{"apiVersion":"v1","kind":"Config","current-context":"c",
		"contexts":[{"name":"c","context":{"cluster":"c"}}],"clusters":[{"name":"c","cluster":{"server":"`+server.URL+`"}}]}`), 0o600))
	cluster, err := kube.Connect(t.Context(), kubeconfig, "")
	require.NoError(t, err)
	asked = nil
	return Site{Cluster: cluster, Post: post.New(cluster, kube.Owner{Run: "r"}, ""), System: true}, &asked
}

func TestAnUndoIsCarriedOutWhateverFailedBefore(t *testing.T) {
	site, asked := asked(t, "")
	step, err := mergePatch("scale back", "/apis/apps/v1/namespaces/n/deployments/d", replicas(2))
	require.NoError(t, err)
	refused := errors.New("refused")
	made := &Injection{site: site, Undo: []pledge.Step{step}, ease: func(context.Context) error { return refused }}
	require.ErrorIs(t, made.Recover(t.Context()), refused, "and it is told")
	assert.Equal(t, []string{"PATCH /apis/apps/v1/namespaces/n/deployments/d"}, *asked)
}

func TestANodeThatIsCordonedAlreadyIsNotDrained(t *testing.T) {
	site, _ := asked(t, `{"kind":"Node","apiVersion":"v1","metadata":{"name":"x"},"spec":{"unschedulable":true}}`)
	require.ErrorContains(t, uncordoned(t.Context(), site, []string{"x"}), "cordoned already")
	closed, _, err := (&drainage{site: site, nodes: []drained{{name: "x"}}}).cordoned(t.Context())
	require.NoError(t, err)
	assert.True(t, closed)
	site, _ = asked(t, `{"kind":"Node","apiVersion":"v1","metadata":{"name":"x"}}`)
	require.NoError(t, uncordoned(t.Context(), site, []string{"x"}))
}

func TestWhatHappenedOnceNeedsNotLast(t *testing.T) {
	there := true
	probe := func(context.Context) (bool, string, error) { return there, "1 burning", nil }
	lasting := &Injection{still: glance(probe)}
	_, err := lasting.Still(t.Context())
	require.NoError(t, err)
	there = false
	_, err = lasting.Still(t.Context())
	require.ErrorContains(t, err, "1 burning")
	_, err = (&Injection{}).Still(t.Context())
	require.NoError(t, err)
}

package existing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/wayproof/wayproof/internal/kube"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	manifests, err := kube.Decode("test.yaml", strings.NewReader(text))
	require.NoError(t, err)
	require.Len(t, manifests, 1)
	return manifests[0].Object
}

func TestNotOlder(t *testing.T) {
	for have, ok := range map[string]bool{
		"1.31.0": true, "v1.36.3": true, "1.26.0": true, "1.25.9": false, "dev": true, "1.9.0": false, "1.31.0-alpha.2": true,
	} {
		finding := notOlder("istio", have, "1.26.0", "upgrade")
		assert.Equal(t, ok, finding.OK, have)
		assert.Contains(t, finding.Detail, have)
	}
}

func TestTracing(t *testing.T) {
	const right = "{name: otel, opentelemetry: {service: otel-collector.istio-system.svc.cluster.local, port: 4317}}"
	for name, tc := range map[string]struct {
		mesh string
		ok   bool
		says string
	}{
		"as the workshop": {"enableTracing: true\nextensionProviders: [" + right + "]", true, "otel sends to"},
		"switched off":    {"extensionProviders: [" + right + "]", false, "enableTracing is off"},
		"nobody":          {"enableTracing: true\nextensionProviders: [{name: prometheus}]", false, "no provider named otel"},
		"somewhere else":  {"enableTracing: true\nextensionProviders: [{name: otel, opentelemetry: {service: x, port: 1}}]", false, "sends to x:1"},
		"of another kind": {"enableTracing: true\nextensionProviders: [{name: otel, zipkin: {}}]", false, "not of kind opentelemetry"},
		"nothing at all":  {"", false, "no provider named otel"},
	} {
		config, err := readMeshConfig(tc.mesh)
		require.NoError(t, err, name)
		finding := config.tracing()
		assert.Equal(t, tc.ok, finding.OK, name)
		assert.Contains(t, finding.Detail, tc.says, name)
		if !tc.ok {
			assert.Contains(t, finding.Remedy, "extensionProviders", name)
		}
	}
}

func TestDiscovery(t *testing.T) {
	for name, tc := range map[string]struct {
		mesh string
		ok   bool
	}{
		"none":           {"", true},
		"the workshop's": {"discoverySelectors: [{matchLabels: {istio-discovery: enabled}}]", true},
		"one of several": {"discoverySelectors: [{matchLabels: {a: b}}, {matchExpressions: [{key: istio-discovery, operator: Exists}]}]", true},
		"other labels":   {"discoverySelectors: [{matchLabels: {team: mesh}}]", false},
		"a broken one":   {"discoverySelectors: [{matchExpressions: [{key: x, operator: Nope}]}]", false},
	} {
		config, err := readMeshConfig(tc.mesh)
		require.NoError(t, err, name)
		assert.Equal(t, tc.ok, config.discovery().OK, name)
	}
}

func TestNamespaceFinding(t *testing.T) {
	theirs := object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: travel-agency}}")
	ours := object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: travel-agency, labels: {wayproof.dev/run: r1, app.kubernetes.io/managed-by: wayproof}}}")
	going := object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: travel-agency, deletionTimestamp: '2026-11-23T10:00:00Z'}}")
	assert.True(t, namespaceFinding("travel-agency", nil, false).OK)
	assert.True(t, namespaceFinding("travel-agency", ours, false).OK)
	assert.True(t, namespaceFinding("travel-agency", theirs, true).OK)
	assert.False(t, namespaceFinding("travel-agency", going, true).OK)
	refused := namespaceFinding("travel-agency", theirs, false)
	assert.False(t, refused.OK)
	assert.Contains(t, refused.Remedy, "--adopt")
}

func TestRightsFindings(t *testing.T) {
	assert.True(t, rightsFindings(nil, 90)[0].OK)
	findings := rightsFindings(map[string][]string{scalingTasks: {"create pods/eviction"}, Everything: {"create namespaces", "create gateways.gateway.networking.k8s.io"}}, 90)
	require.Len(t, findings, 2)
	assert.Equal(t, "rights: you may not create gateways.gateway.networking.k8s.io, create namespaces; remedy: "+findings[0].Remedy, findings[0].String())
	assert.Equal(t, scalingTasks, findings[1].Needed)

	questions := right{"", "pods/exec pods", "create get", Everything}.questions()
	var asked []string
	for _, question := range questions {
		asked = append(asked, describe(question))
	}
	assert.Equal(t, []string{"create pods/exec", "get pods/exec", "create pods", "get pods"}, asked)
}

func TestOpenShift(t *testing.T) {
	scc := "{apiVersion: security.openshift.io/v1, kind: SecurityContextConstraints, metadata: {name: nonroot-v2}, groups: "
	agency := []string{"travel-agency"}
	assert.True(t, constraintFinding(object(t, scc+"['system:serviceaccounts:travel-agency']}"), nil, agency).OK)
	refused := constraintFinding(object(t, scc+"[]}"), nil, agency)
	assert.False(t, refused.OK)
	assert.NotEqual(t, Everything, refused.Needed, "a role may grant it, unseen")
	assert.Equal(t, "oc adm policy add-scc-to-group nonroot-v2 system:serviceaccounts:travel-agency", refused.Remedy)
	assert.False(t, constraintFinding(nil, nil, agency).OK)
	forbidden := constraintFinding(nil, errors.New("forbidden"), agency)
	assert.False(t, forbidden.OK)
	assert.NotEqual(t, Everything, forbidden.Needed, "few may read constraints")

	network := "{apiVersion: operator.openshift.io/v1, kind: Network, metadata: {name: cluster}, spec: {defaultNetwork: {type: OVNKubernetes, ovnKubernetesConfig: {gatewayConfig: {routingViaHost: "
	assert.True(t, networkFinding(object(t, network+"true}}}}}"), nil).OK)
	assert.Contains(t, networkFinding(object(t, network+"false}}}}}"), nil).Remedy, "routingViaHost")
}

func TestAgentImageAndChannelHaveRemedies(t *testing.T) {
	missing := agentImage(t.Context(), patient{})[0]
	assert.False(t, missing.OK)
	assert.Contains(t, missing.Remedy, "--agent-image")
	assert.True(t, agentImage(t.Context(), patient{options: Options{AgentImage: "r/a:1"}})[0].OK)
	assert.True(t, channel("experimental").OK)
	assert.False(t, channel("standard").OK)
	assert.Equal(t, retryClaims, channel("standard").Needed, "not everything: the run goes on")
}

func TestANamedContextIsPinned(t *testing.T) {
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: "https://127.0.0.1:1"}
	config.Contexts["one"] = &clientcmdapi.Context{Cluster: "c"}
	config.Contexts["two"] = &clientcmdapi.Context{Cluster: "c"}
	config.CurrentContext = "one"
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, clientcmd.WriteToFile(*config, file))

	environment := New(Options{Kubeconfig: file, Context: "two"})
	assert.Equal(t, file, environment.Kubeconfig())
	require.NoError(t, environment.pin())
	pinned, err := clientcmd.LoadFromFile(environment.Kubeconfig())
	require.NoError(t, err)
	assert.Equal(t, "two", pinned.CurrentContext)

	written := environment.Kubeconfig()
	require.NoError(t, environment.Down(t.Context(), nil))
	_, err = os.Stat(written)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

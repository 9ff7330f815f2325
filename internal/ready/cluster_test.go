//go:build cluster

// These tests want a cluster that wayproof made: go test -tags cluster, with
// KUBECONFIG set. They use namespaces of their own and remove them.
package ready

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/kube"
)

const testNamespace = "wayproof-gate-test"

const ground = `apiVersion: v1
kind: Namespace
metadata: {name: wayproof-gate-test, labels: {istio-discovery: enabled, istio.io/use-waypoint: waypoint}}
---
apiVersion: v1
kind: Service
metadata: {name: cars, namespace: wayproof-gate-test}
spec: {selector: {app: cars}, ports: [{name: http, port: 8000}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: wayproof-gate-test, labels: {istio.io/waypoint-for: service}}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
`

const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cars, namespace: wayproof-gate-test}
spec:
  parentRefs: [{group: "", kind: Service, name: cars, port: 8000}]
  rules:
    - filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-edition, value: "edition-%d-"}]}}]
      backendRefs: [{name: cars, port: 8000}]
`

func apply(t *testing.T, cluster *kube.Cluster, owner kube.Owner, text string) []kube.Manifest {
	t.Helper()
	manifests, err := kube.Decode("gate-test.yaml", strings.NewReader(text))
	require.NoError(t, err)
	_, err = cluster.Apply(t.Context(), owner, manifests)
	require.NoError(t, err)
	return manifests
}

// listenersOf is the oracle: what Envoy itself has, by its admin port.
func listenersOf(t *testing.T, cluster *kube.Cluster, pod kube.Ref) string {
	t.Helper()
	forward, err := cluster.Forward(t.Context(), kube.Port{Pod: pod, Number: 15000})
	require.NoError(t, err)
	defer forward.Close()
	response, err := http.Get("http://" + forward.Address + "/config_dump?resource=dynamic_listeners")
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, errors.Join(err, response.Body.Close()))
	return string(body)
}

func prepare(t *testing.T) (*kube.Cluster, *Gate) {
	t.Helper()
	cluster, err := kube.Connect(t.Context(), os.Getenv("KUBECONFIG"), "")
	require.NoError(t, err)
	owner := kube.Owner{Run: fmt.Sprintf("gate-test-%d", time.Now().UnixNano())}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
		defer cancel()
		require.NoError(t, cluster.Sweep(ctx, owner.Run))
	})
	apply(t, cluster, owner, ground)
	waypoint := kube.Ref{Namespace: testNamespace, Name: "waypoint"}
	require.NoError(t, cluster.AwaitGateway(t.Context(), waypoint, time.Minute))
	require.NoError(t, cluster.AwaitDeployment(t.Context(), waypoint, time.Minute))
	require.NoError(t, cluster.AwaitBound(t.Context(), kube.Ref{Namespace: testNamespace, Name: "cars"}, "", time.Minute))
	return cluster, NewGate(cluster, owner)
}

// Each edition must be in Envoy the moment the gate opens, and gone the moment
// it opens after the delete.
func TestWhatWasAppliedIsServedWhenTheGateOpens(t *testing.T) {
	cluster, gate := prepare(t)
	pods, err := gate.waypointPods(t.Context(), []string{testNamespace})
	require.NoError(t, err)
	require.Len(t, pods, 1)
	pod := kube.Ref{Namespace: pods[0].Namespace, Name: pods[0].Name}
	var took []time.Duration
	for edition := range 8 {
		manifests := apply(t, cluster, gate.Owner, fmt.Sprintf(route, edition))
		began := time.Now()
		require.NoError(t, gate.Waypoints(t.Context(), testNamespace))
		took = append(took, time.Since(began).Round(time.Millisecond))
		assert.Contains(t, listenersOf(t, cluster, pod), fmt.Sprintf("edition-%d-", edition))
		if edition%4 == 3 {
			require.NoError(t, cluster.Delete(t.Context(), gate.Owner, manifests))
			require.NoError(t, gate.Waypoints(t.Context(), testNamespace))
			assert.NotContains(t, listenersOf(t, cluster, pod), "edition-")
		}
	}
	t.Log("the gate took", took)
}

func TestNodeProxiesAcknowledge(t *testing.T) {
	_, gate := prepare(t)
	began := time.Now()
	require.NoError(t, gate.NodeProxies(t.Context()))
	t.Log("the gate took", time.Since(began))
}

func TestNoWaypointIsAnError(t *testing.T) {
	_, gate := prepare(t)
	require.ErrorIs(t, gate.Waypoints(t.Context(), "kube-system"), errNone)
}

const broken = `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: broken, namespace: wayproof-gate-test}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: waypoint}]
  configPatches:
    - applyTo: HTTP_FILTER
      match: {context: SIDECAR_INBOUND, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
      patch:
        operation: INSERT_FIRST
        value:
          name: broken
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
            default_source_code: {inline_string: "this is no lua ("}
`

func TestARefusalByTheProxyIsNamed(t *testing.T) {
	cluster, gate := prepare(t)
	manifests := apply(t, cluster, gate.Owner, broken)
	err := gate.Waypoints(t.Context(), testNamespace)
	var rejected *Rejected
	require.ErrorAs(t, err, &rejected)
	t.Log(err)

	require.NoError(t, cluster.Delete(t.Context(), gate.Owner, manifests))
	require.NoError(t, gate.Waypoints(t.Context(), testNamespace), "mended, whatever stood there before")
}

//go:build cluster

// These tests want a cluster that wayproof made: go test -tags cluster, with
// KUBECONFIG set. They use namespaces of their own and remove them.
package kube

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const testNamespace = "wayproof-kube-test"

func connect(t *testing.T) *Cluster {
	t.Helper()
	cluster, err := Connect(t.Context(), os.Getenv("KUBECONFIG"), "")
	require.NoError(t, err)
	return cluster
}

// owned gives a run whose objects are swept when the test ends.
func owned(t *testing.T, cluster *Cluster) Owner {
	t.Helper()
	owner := Owner{Run: fmt.Sprintf("kube-test-%d", time.Now().UnixNano())}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), goneWithin)
		defer cancel()
		require.NoError(t, cluster.Sweep(ctx, owner.Run))
		left, err := cluster.Made(ctx, owner.Run)
		require.NoError(t, err)
		assert.Empty(t, left)
	})
	return owner
}

func decoded(t *testing.T, text string) []Manifest {
	t.Helper()
	manifests, err := Decode("test.yaml", strings.NewReader(text))
	require.NoError(t, err)
	return manifests
}

const home = "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + testNamespace + "}\n---\n"

const mirror = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: mirror, namespace: ` + testNamespace + `}
spec:
  parentRefs: [{group: "", kind: Service, name: cars, port: 8000}]
  rules:
    - filters: [{type: RequestMirror, requestMirror: {percentage: 100, backendRef: {name: cars-v2, port: 8000}}}]
      backendRefs: [{name: cars, port: 8000}]
`

func TestStrictRefusesWhatLenientPrunes(t *testing.T) {
	cluster := connect(t)
	owner := owned(t, cluster)
	_, err := cluster.Apply(t.Context(), owner, decoded(t, home+mirror))
	var refused *ApplyError
	require.ErrorAs(t, err, &refused)
	t.Log(err)
	assert.Equal(t, "test.yaml", refused.File)
	assert.Equal(t, []string{"spec.rules[0].filters[0].requestMirror.percentage"}, refused.Fields)

	findings, err := cluster.ApplyLenient(t.Context(), owner, decoded(t, mirror))
	require.NoError(t, err)
	texts := fmt.Sprint(findings)
	t.Log(texts)
	assert.Contains(t, texts, `unknown field "spec.rules[0].filters[0].requestMirror.percentage"`)
	assert.Contains(t, texts, "field spec.rules[0].filters[0].requestMirror.percentage was dropped by the server")
}

func TestApplyIsIdempotentAndDeleteToo(t *testing.T) {
	cluster := connect(t)
	owner := owned(t, cluster)
	manifests := decoded(t, home+"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: "+testNamespace+"}\ndata: {a: b}\n")
	for range 2 {
		findings, err := cluster.Apply(t.Context(), owner, manifests)
		require.NoError(t, err)
		assert.Empty(t, findings)
	}
	for range 2 {
		require.NoError(t, cluster.Delete(t.Context(), owner, manifests))
	}
}

func TestForeignNamespacesAreRefusedAdoptedAndGivenBack(t *testing.T) {
	cluster := connect(t)
	owner := owned(t, cluster)
	const foreign = "wayproof-kube-foreign"
	set := cluster.Set().CoreV1().Namespaces()
	_, err := set.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: foreign, Labels: map[string]string{"team": "x"}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = set.Delete(context.WithoutCancel(t.Context()), foreign, metav1.DeleteOptions{}) })

	text := "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + foreign + ", labels: {istio.io/dataplane-mode: ambient}}\n---\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: " + foreign + "}\ndata: {a: b}\n"
	_, err = cluster.Apply(t.Context(), owner, decoded(t, text))
	var refused *Foreign
	require.ErrorAs(t, err, &refused)
	t.Log(err)

	_, err = cluster.Apply(t.Context(), owner, decoded(t, strings.SplitN(text, "---\n", 2)[1]))
	require.ErrorAs(t, err, &refused, "nor anything put into it")

	adopter := Owner{Run: owner.Run, Adopt: true}
	_, err = cluster.Apply(t.Context(), adopter, decoded(t, text))
	require.NoError(t, err)
	live, err := set.Get(t.Context(), foreign, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "ambient", live.Labels["istio.io/dataplane-mode"])

	require.NoError(t, cluster.Sweep(t.Context(), owner.Run))
	live, err = set.Get(t.Context(), foreign, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Nil(t, live.DeletionTimestamp)
	assert.Equal(t, map[string]string{"team": "x", "kubernetes.io/metadata.name": foreign}, live.Labels)
}

func TestAForeignObjectIsLeftAloneIfTheSame(t *testing.T) {
	cluster := connect(t)
	owner := owned(t, cluster)
	_, err := cluster.Apply(t.Context(), owner, decoded(t, home))
	require.NoError(t, err)
	_, err = cluster.Set().CoreV1().ConfigMaps(testNamespace).Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}, Data: map[string]string{"a": "b"}}, metav1.CreateOptions{})
	require.NoError(t, err)

	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: theirs, namespace: " + testNamespace + "}\ndata: {a: %s}\n"
	findings, err := cluster.Apply(t.Context(), owner, decoded(t, fmt.Sprintf(config, "b")))
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Contains(t, findings[0].Text, "left alone")

	_, err = cluster.Apply(t.Context(), owner, decoded(t, fmt.Sprintf(config, "c")))
	var refused *Foreign
	require.ErrorAs(t, err, &refused)
}

const guarded = `apiVersion: v1
kind: Pod
metadata: {name: sleeper, namespace: ` + testNamespace + `, labels: {app: sleeper}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: pause, image: "%s", imagePullPolicy: IfNotPresent}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: sleeper, namespace: ` + testNamespace + `}
spec: {minAvailable: 1, selector: {matchLabels: {app: sleeper}}}
`

// pause is an image that every node has.
func pause(t *testing.T, cluster *Cluster) string {
	t.Helper()
	nodes, err := cluster.Set().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, image := range nodes.Items[0].Status.Images {
		for _, name := range image.Names {
			if strings.Contains(name, "/pause:") {
				return name
			}
		}
	}
	require.Fail(t, "no pause image on the node")
	return ""
}

func TestEvictionAtTheEdgeOfABudget(t *testing.T) {
	cluster := connect(t)
	owner := owned(t, cluster)
	_, err := cluster.Apply(t.Context(), owner, decoded(t, home+fmt.Sprintf(guarded, pause(t, cluster))))
	require.NoError(t, err)
	require.NoError(t, Await(t.Context(), Wait{What: "the budget to count the pod", Within: time.Minute}, func(ctx context.Context) (bool, string, error) {
		budget, err := cluster.Set().PolicyV1().PodDisruptionBudgets(testNamespace).Get(ctx, "sleeper", metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		return budget.Status.CurrentHealthy == 1, fmt.Sprint(budget.Status), nil
	}))
	began := time.Now()
	err = cluster.Evict(t.Context(), Ref{Namespace: testNamespace, Name: "sleeper"})
	require.ErrorIs(t, err, ErrBudget)
	assert.Less(t, time.Since(began), 2*time.Second, "a 429 is an answer, not something to retry")
	t.Log(err)
}

func TestExecLogsForwardAndMetricsOnIstiod(t *testing.T) {
	cluster := connect(t)
	pods, err := cluster.PodsOf(t.Context(), Ref{Namespace: "istio-system", Name: "istiod"})
	require.NoError(t, err)
	require.NotEmpty(t, pods)
	istiod := Ref{Namespace: "istio-system", Name: pods[0].Name}

	var out, diag bytes.Buffer
	command := Command{Pod: istiod, Argv: []string{"pilot-discovery", "request", "GET", "/version"}}
	require.NoError(t, cluster.Exec(t.Context(), command, Streams{Out: &out, Err: &diag}), diag.String())
	assert.NotEmpty(t, out.String())
	command.Argv = []string{"pilot-discovery", "no-such-thing"}
	var exit *ExitError
	require.ErrorAs(t, cluster.Exec(t.Context(), command, Streams{Out: &out, Err: &diag}), &exit)
	assert.NotZero(t, exit.Code)

	logs, err := cluster.Logs(t.Context(), LogQuery{Pod: istiod})
	require.NoError(t, err)
	require.NoError(t, logs.Close())

	forward, err := cluster.Forward(t.Context(), Port{Pod: istiod, Number: 15014})
	require.NoError(t, err)
	defer forward.Close()
	response, err := http.Get("http://" + forward.Address + "/debug/syncz")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, response.Body.Close())

	version, err := cluster.ProxyGet(t.Context(), Port{Pod: istiod, Number: 15014}, "/version?x=y")
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(string(version)), strings.TrimSpace(strings.Split(out.String(), "\n")[0]))

	require.NoError(t, cluster.MetricsServed(t.Context()))
	usages, err := cluster.PodUsage(t.Context(), "istio-system", "app=istiod")
	require.NoError(t, err)
	require.Len(t, usages, 1)
	assert.Positive(t, usages[0].MemoryByte)
	t.Logf("%+v", usages[0])
}

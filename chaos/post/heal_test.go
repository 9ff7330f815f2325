package post

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// board is an API server with pledges, and a note of every other call that changes
// something.
type board struct {
	maps  map[string]*corev1.ConfigMap
	calls []string
}

const mapsPath = "/api/v1/namespaces/" + pledge.Namespace + "/configmaps"

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	name := strings.TrimPrefix(r.URL.Path, mapsPath+"/")
	found := b.maps[name]
	switch {
	case r.URL.Path == "/version":
		fmt.Fprint(w, `{"gitVersion":"v1.36.0"}`)
	case r.URL.Path == mapsPath && r.Method == http.MethodGet:
		list := corev1.ConfigMapList{TypeMeta: metav1.TypeMeta{Kind: "ConfigMapList", APIVersion: "v1"}}
		for _, name := range slices.Sorted(maps.Keys(b.maps)) {
			list.Items = append(list.Items, *b.maps[name])
		}
		_ = json.NewEncoder(w).Encode(list)
	case r.URL.Path == mapsPath:
		body, _ := io.ReadAll(r.Body)
		made := &corev1.ConfigMap{}
		_, _, _ = scheme.Codecs.UniversalDeserializer().Decode(body, nil, made) // the client speaks protobuf
		made.TypeMeta = metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"}
		b.maps[made.Name] = made
		_ = json.NewEncoder(w).Encode(made)
	case strings.HasPrefix(r.URL.Path, mapsPath) && found == nil:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	case strings.HasPrefix(r.URL.Path, mapsPath) && r.Method == http.MethodDelete:
		delete(b.maps, name)
		fmt.Fprint(w, "{}")
	case strings.HasPrefix(r.URL.Path, mapsPath):
		_ = json.NewEncoder(w).Encode(found)
	default:
		if r.Method != http.MethodGet {
			b.calls = append(b.calls, r.Method+" "+r.URL.Path)
		}
		fmt.Fprint(w, `{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"x"}}`)
	}
}

// posted is a post of run r on that server.
func posted(t *testing.T, b *board) *Post {
	t.Helper()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(`{"apiVersion":"v1","kind":"Config","current-context":"c",
		"contexts":[{"name":"c","context":{"cluster":"c"}}],"clusters":[{"name":"c","cluster":{"server":"`+server.URL+`"}}]}`), 0o600))
	cluster, err := kube.Connect(t.Context(), kubeconfig, "")
	require.NoError(t, err)
	return New(cluster, kube.Owner{Run: "r"}, "")
}

func written(t *testing.T, run, id string) *corev1.ConfigMap {
	t.Helper()
	text, err := pledge.Pledge{
		ID: id, Run: run, Fault: "scale", Target: "n/d", Deadline: time.Now(),
		Undo: []pledge.Step{{Say: "scale back " + id, Request: &pledge.Request{Method: "PATCH", Path: "/apis/apps/v1/namespaces/n/deployments/" + id}}},
	}.Encode()
	require.NoError(t, err)
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: id}, Data: map[string]string{pledge.Key: text}}
}

func unreadable(id string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: id}, Data: map[string]string{pledge.Key: "{"}}
}

func TestHealCarriesOutWhatCanBeRead(t *testing.T) {
	b := &board{maps: map[string]*corev1.ConfigMap{"a": unreadable("a"), "b": written(t, "gone", "b")}}
	lines, err := posted(t, b).Heal(t.Context())
	require.ErrorContains(t, err, "pledge a", "and names what it cannot read")
	assert.Contains(t, lines, "scale back b")
	assert.Equal(t, []string{
		"PATCH /apis/apps/v1/namespaces/n/deployments/b",
		"DELETE /apis/coordination.k8s.io/v1/namespaces/wayproof-chaos/leases/heartbeat-gone",
	}, b.calls, "the heartbeat goes along")
	assert.Equal(t, []string{"a"}, slices.Collect(maps.Keys(b.maps)))

	d := Digest{}
	require.NoError(t, posted(t, b).open(t.Context(), d))
	assert.Equal(t, Digest{"pledge a": "cannot be read"}, d)
	kept := posted(t, b).Keep(pledge.Pledge{ID: "c", Fault: "kill", Target: "n/p", Deadline: time.Now()})
	require.NoError(t, kept.Write(t.Context()), "nor is it in the way of others")
	require.NoError(t, kept.Stands(t.Context()))
}

// What undoes a fault is not swept away while the fault is open.
func TestARunHealsItsOwnFaultsAndLeavesOthersTheirs(t *testing.T) {
	b := &board{maps: map[string]*corev1.ConfigMap{"mine": written(t, "r", "mine"), "theirs": written(t, "other", "theirs")}}
	p := posted(t, b)
	_, err := p.HealOwn(t.Context())
	require.ErrorContains(t, err, `run "other"`)
	assert.NotContains(t, b.maps, "mine")
	assert.Contains(t, b.maps, "theirs")
	delete(b.maps, "theirs")
	_, err = p.HealOwn(t.Context())
	require.NoError(t, err)
}

func TestAPledgeThatAPartyHasCarriedOutStandsNoMore(t *testing.T) {
	b := &board{maps: map[string]*corev1.ConfigMap{}}
	kept := posted(t, b).Keep(pledge.Pledge{ID: "c", Fault: "hang", Target: "n/p", Deadline: time.Now()})
	require.Error(t, kept.Stands(t.Context()), "it is not written")
	require.NoError(t, kept.Write(t.Context()))
	require.NoError(t, kept.Stands(t.Context()))
	b.maps["c"].Data[pledge.DoneKey(pledge.HandOn("n1"))] = "12:00"
	require.ErrorContains(t, kept.Stands(t.Context()), "carried out by hand.n1", "before the watchdog takes it away")
	require.ErrorContains(t, kept.Write(t.Context()), "still pledged")
}

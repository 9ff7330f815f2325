package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// board is an API server of one namespace: pledges, one heartbeat, and a note
// of every other call.
type board struct {
	mu     sync.Mutex
	maps   map[string]map[string]string
	stamp  string
	calls  []string
	refuse bool
}

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	name, isMap := strings.CutPrefix(r.URL.Path, home+"/")
	switch {
	case r.Header.Get("Authorization") != "Bearer secret":
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == home:
		var items []map[string]any
		for name, data := range b.maps {
			items = append(items, map[string]any{"metadata": map[string]string{"name": name}, "data": data})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
	case isMap && r.Method == http.MethodDelete:
		delete(b.maps, name)
	case isMap:
		var patch struct{ Data map[string]string }
		_ = json.Unmarshal(body, &patch)
		maps.Copy(b.maps[name], patch.Data)
	case strings.Contains(r.URL.Path, "/leases/") && r.Method == http.MethodDelete:
		b.stamp = ""
	case strings.Contains(r.URL.Path, "/leases/") && b.stamp == "":
		w.WriteHeader(http.StatusNotFound)
	case strings.Contains(r.URL.Path, "/leases/"):
		_ = json.NewEncoder(w).Encode(map[string]any{"spec": map[string]string{"renewTime": b.stamp}})
	case b.refuse:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		b.calls = append(b.calls, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
	}
}

type hands struct {
	undone []string
	err    error
}

func (h *hands) Undo(_ context.Context, d pledge.Deed) (string, error) {
	h.undone = append(h.undone, d.Name)
	return "", h.err
}

func written(t *testing.T) map[string]string {
	t.Helper()
	text, err := pledge.Pledge{
		ID: "p", Run: "r1", Fault: "f", Deadline: time.Unix(10_000, 0),
		Undo: []pledge.Step{
			{Say: "scale", Request: &pledge.Request{Method: "PATCH", Path: "/apis/d", ContentType: "application/merge-patch+json", Body: []byte(`{"n":1}`)}},
			{Say: "rules", Deed: &pledge.Deed{Node: "n1", Kind: pledge.Rules, Name: "wayproof_x"}},
		},
	}.Encode()
	require.NoError(t, err)
	return map[string]string{pledge.Key: text}
}

func watching(t *testing.T, b *board, party pledge.Party, doer Doer) *Watch {
	t.Helper()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return &Watch{
		Server: &Server{Base: server.URL, Token: func() (string, error) { return "secret", nil }, Client: server.Client()},
		Party:  party, Doer: doer, Log: t.Logf, heart: pledge.NewHeart(),
	}
}

func TestAPledgeIsKeptWhenTheHeartStopsAndNotBefore(t *testing.T) {
	b := &board{maps: map[string]map[string]string{"p": written(t)}, stamp: "1"}
	done := &hands{}
	dog, hand := watching(t, b, pledge.Watchdog, nil), watching(t, b, pledge.HandOn("n1"), done)
	at := func(seconds int64) {
		require.NoError(t, dog.look(t.Context(), time.Unix(seconds, 0)))
		require.NoError(t, hand.look(t.Context(), time.Unix(seconds, 0)))
	}
	at(0)
	at(15)
	b.stamp = "2"
	at(16)
	at(30)
	assert.Empty(t, b.calls, "the heart beats")
	at(32)
	assert.Equal(t, []string{`PATCH /apis/d application/merge-patch+json {"n":1}`}, b.calls)
	assert.Equal(t, []string{"wayproof_x"}, done.undone)
	assert.Contains(t, b.maps, "p", "taken away only at the look after both are done")
	at(34)
	assert.Empty(t, b.maps)
	assert.Len(t, b.calls, 1, "done once is enough")
	assert.Empty(t, b.stamp, "the heartbeat of the dead harness goes along")
}

func TestADeadlineEndsAFaultUnderALivingHarness(t *testing.T) {
	b := &board{maps: map[string]map[string]string{"p": written(t)}, stamp: "1"}
	dog := watching(t, b, pledge.Watchdog, nil)
	require.NoError(t, dog.look(t.Context(), time.Unix(10_001, 0)))
	assert.Len(t, b.calls, 1)
	require.NoError(t, dog.look(t.Context(), time.Unix(10_003, 0)))
	assert.Contains(t, b.maps, "p", "the hand has not spoken yet")
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	b := &board{maps: map[string]map[string]string{"p": written(t), "bad": {pledge.Key: "{"}}, stamp: "", refuse: true}
	dog := watching(t, b, pledge.Watchdog, nil)
	require.Error(t, dog.look(t.Context(), time.Unix(10_001, 0)))
	assert.Empty(t, b.maps["p"][pledge.DoneKey(pledge.Watchdog)])
	b.refuse = false
	require.ErrorContains(t, dog.look(t.Context(), time.Unix(10_002, 0)), "bad", "a broken pledge is named and holds up no other")
	assert.NotEmpty(t, b.maps["p"][pledge.DoneKey(pledge.Watchdog)])

	failing := watching(t, b, pledge.HandOn("n1"), &hands{err: errors.New("no nft")})
	require.ErrorContains(t, failing.look(t.Context(), time.Unix(10_003, 0)), "no nft")
}

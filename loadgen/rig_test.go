package loadgen_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
)

// backend is a real server on loopback that counts what reaches it.
type backend struct {
	*httptest.Server
	hits atomic.Int64
}

func newBackend(t *testing.T, handle http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.hits.Add(1)
		handle(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }

// reset ends the connection of a request with a TCP RST.
func reset(w http.ResponseWriter) {
	raw, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = raw.(*net.TCPConn).SetLinger(0)
	_ = raw.Close()
}

// load is a short plan on one URL.
func load(url string, rate float64, hits int) record.Load {
	return record.Load{
		Rate: rate, Hits: hits, Clients: 1, Timeout: 3 * time.Second, Connections: loadgen.KeepAlive,
		IDPrefix: "test", Targets: []record.Target{{Name: "t", Method: http.MethodGet, URL: url}},
	}
}

// attack runs a plan that must be carried out, and gives the observations in
// intended order.
func attack(t *testing.T, plan loadgen.Plan) ([]record.Observation, record.Health) {
	t.Helper()
	var seen []record.Observation
	health, err := loadgen.Attack(t.Context(), plan, func(o record.Observation) bool {
		seen = append(seen, o)
		return true
	})
	require.NoError(t, err)
	slices.SortFunc(seen, func(a, b record.Observation) int { return a.Seq - b.Seq })
	return seen, health
}

func classes(seen []record.Observation) map[record.Class]int {
	out := map[record.Class]int{}
	for _, o := range seen {
		out[o.Class]++
	}
	return out
}

// ids collects the request ids that a backend saw.
type ids struct {
	mu   sync.Mutex
	seen map[string]int
}

func (i *ids) note(r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.seen == nil {
		i.seen = map[string]int{}
	}
	i.seen[r.Header.Get(loadgen.IDHeader)]++
}

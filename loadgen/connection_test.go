package loadgen_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
)

// unhurried is a rate at which requests of one client overlap only when the
// machine itself stalls; tests must hold then, too.
const unhurried = 50

// overlaps says whether a client had two requests under way at once, which by
// design takes a second connection. seen is in intended order.
func overlaps(seen []record.Observation) bool {
	busy := map[int]time.Duration{}
	for _, o := range seen {
		if o.Sent <= busy[o.Client] {
			return true
		}
		busy[o.Client] = max(busy[o.Client], o.Done)
	}
	return false
}

func TestKeepAliveKeepsOneConnectionPerClient(t *testing.T) {
	b := newBackend(t, ok)
	l := load(b.URL, 2*unhurried, 20)
	l.Clients = 2
	seen, _ := attack(t, loadgen.Plan{Load: l})
	fresh := map[[2]int]int{}
	for i, o := range seen {
		if !o.Reused {
			fresh[[2]int{o.Client, o.Conn}]++
		}
		if !overlaps(seen) {
			assert.Equal(t, 1, o.Conn, "request %d", i)
		}
	}
	assert.Equal(t, 1, fresh[[2]int{0, 1}])
	assert.Equal(t, 1, fresh[[2]int{1, 1}])
	assert.True(t, overlaps(seen) || len(fresh) == 2)
}

func TestFreshConnectsForEveryRequest(t *testing.T) {
	peers := map[string]bool{}
	var mu sync.Mutex
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr] = true
		mu.Unlock()
		ok(w, r)
	})
	l := load(b.URL, unhurried, 10)
	l.Connections = loadgen.Fresh
	seen, _ := attack(t, loadgen.Plan{Load: l})
	conns := map[int]bool{}
	for _, o := range seen {
		conns[o.Conn] = true
		assert.False(t, o.Reused)
	}
	assert.Len(t, conns, 10)
	assert.True(t, conns[1] && conns[10], "numbers go from 1 without a gap")
	assert.Len(t, peers, 10)
}

func TestReconnectAfterSoManyRequests(t *testing.T) {
	b := newBackend(t, ok)
	l := load(b.URL, unhurried, 12)
	l.Reconnect = 4
	seen, health := attack(t, loadgen.Plan{Load: l})
	carried := map[int]int{}
	for i, o := range seen {
		carried[o.Conn]++
		if !overlaps(seen) {
			assert.Equal(t, i/4+1, o.Conn, "request %d", i)
			assert.Equal(t, i%4 != 0, o.Reused, "request %d", i)
		}
	}
	for conn, n := range carried {
		assert.LessOrEqual(t, n, 4, "connection %d", conn)
	}
	assert.GreaterOrEqual(t, len(carried), 3)
	assert.Zero(t, health.Replays)
}

func TestReconnectClosesTheConnection(t *testing.T) {
	closed := make(chan struct{}, 100) // roomier than there are connections: the hook must not block
	b := httptest.NewUnstartedServer(http.HandlerFunc(ok))
	b.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	b.Start()
	defer b.Close()
	l := load(b.URL, unhurried, 20)
	l.Reconnect = 5
	during := 0
	_, err := loadgen.Attack(t.Context(), loadgen.Plan{Load: l}, func(o record.Observation) bool {
		if o.Seq == 18 {
			during = len(closed)
		}
		return true
	})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, during, 2, "connections end when they are spent, not with the attack")
}

// net/http repeats a GET whose kept connection is reset, and tells nobody.
func TestMaskedReplaysOfGetAreSeen(t *testing.T) {
	seen, health := attackResetting(t, http.MethodGet)
	assert.Equal(t, map[record.Class]int{record.ClassOK: len(seen)}, classes(seen))
	replays := 0
	for _, o := range seen {
		replays += o.Replays
	}
	assert.GreaterOrEqual(t, replays, 5)
	assert.Equal(t, replays, health.Replays)
}

func TestResetsOfPostAreErrors(t *testing.T) {
	seen, health := attackResetting(t, http.MethodPost)
	assert.GreaterOrEqual(t, classes(seen)[record.ClassReset], 5)
	assert.Zero(t, health.Replays)
	assert.Equal(t, len(seen), health.Completed)
}

// attackResetting sends to a server that resets every connection at its third request.
func attackResetting(t *testing.T, method string) ([]record.Observation, record.Health) {
	t.Helper()
	var mu sync.Mutex
	served := map[string]int{}
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		served[r.RemoteAddr]++
		last := served[r.RemoteAddr] == 3
		mu.Unlock()
		if last {
			reset(w)
			return
		}
		ok(w, r)
	})
	l := load(b.URL, unhurried, 20)
	l.Targets[0].Method = method
	return attack(t, loadgen.Plan{Load: l})
}

func TestFailuresHaveClasses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port that is free
	require.NoError(t, err)
	refused := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())

	for _, row := range []struct {
		want record.Class
		url  string
	}{
		{record.ClassRefused, refused},
		{record.ClassReset, newBackend(t, func(w http.ResponseWriter, _ *http.Request) { reset(w) }).URL},
		{record.ClassEOF, raw(t, "")},
		{record.ClassEOF, raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")},
		{record.ClassProtocol, raw(t, "SSH-2.0-OpenSSH_9.6\r\n")},
		{record.ClassProtocol, raw(t, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")},
		{record.ClassProtocol, raw(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")},
		{record.ClassDNS, "http://no-such-service.travel-agency.svc:8000/"},
	} {
		t.Run(string(row.want), func(t *testing.T) {
			seen, health := attack(t, loadgen.Plan{Load: load(row.url, 100, 3)})
			assert.Equal(t, map[record.Class]int{row.want: 3}, classes(seen))
			assert.Empty(t, health.Error, "the mesh's failures are not the generator's")
		})
	}
}

// raw answers every connection with the same bytes and hangs up.
func raw(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends with the test
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte(answer))
			_ = c.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

package link_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/fixtures/travel"
)

func TestTheServerAnswersRequestsAndLines(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, io.Discard, "serve", "--host", "127.0.0.9") }()
	q := link.Question{URL: "http://127.0.0.9:9000/", Body: "a body", Connections: 3, Requests: 5, Timeout: time.Second}
	require.Eventually(t, func() bool {
		one := q
		one.Connections, one.Requests = 1, 1
		return one.Ask(ctx).Failed == 0
	}, 5*time.Second, 10*time.Millisecond)

	answers := q.Ask(ctx)
	assert.Equal(t, 15, answers.Requests)
	assert.Equal(t, 3, answers.Dialed)
	assert.Zero(t, answers.Mixed)
	assert.Len(t, answers.Settled, 1)
	assert.Equal(t, 12, answers.Latency.Count)
	assert.Equal(t, 3, answers.First.Count)

	q.Fresh = true
	assert.Equal(t, 15, q.Ask(ctx).Dialed)

	series := link.Watch{Address: "127.0.0.9:9001", Held: 2, Beat: 5 * time.Millisecond, For: 100 * time.Millisecond}.Keep(ctx)
	require.Len(t, series.Held, 2)
	for _, held := range series.Held {
		assert.Empty(t, held.Error)
		assert.Positive(t, held.Echoes)
	}
	assert.Positive(t, series.Fresh)
	assert.Empty(t, series.Failures)
	stop()
	require.NoError(t, <-ended)
}

func run(ctx context.Context, out io.Writer, args ...string) error {
	command := link.Command()
	command.SetArgs(args)
	command.SetOut(out)
	return command.ExecuteContext(ctx)
}

func TestFailuresAreCountedByTheirCause(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch asked.Add(1) {
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	answers := link.Question{URL: server.URL, Connections: 1, Requests: 5, Timeout: time.Second}.Ask(t.Context())
	assert.Equal(t, 3, answers.Requests)
	assert.Equal(t, 2, answers.Failed)
	assert.Equal(t, map[string]int{"status 503": 1, "unexpected EOF": 1}, answers.Errors)
	assert.Equal(t, 3, answers.Dialed, "after each failure anew")
}

func TestPodsThatTakeTurnsOnAConnectionAreNoticed(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(travel.HeaderPod, []string{"a", "b"}[asked.Add(1)%2])
		w.Header().Set("Server", "istio-envoy")
	}))
	defer server.Close()
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, link.Question{URL: server.URL, Connections: 1, Requests: 4, Timeout: time.Second}.Argv()[2:]...))
	var answers link.Answers
	require.NoError(t, json.Unmarshal([]byte(out.String()), &answers))
	assert.Equal(t, 1, answers.Mixed)
	assert.Equal(t, map[string]int{"a": 2, "b": 2}, answers.Pods)
	assert.Equal(t, map[string]int{"istio-envoy": 4}, answers.Servers)
}

func TestABrokenConnectionIsOpenedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	go breakAfterOneLine(listener)
	watch := link.Watch{Address: listener.Addr().String(), Held: 1, Beat: 5 * time.Millisecond, For: 200 * time.Millisecond}
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, watch.Argv()[2:]...))
	var series link.Series
	require.NoError(t, json.Unmarshal([]byte(out.String()), &series))
	require.Greater(t, len(series.Held), 1)
	assert.Equal(t, 1, series.Held[0].Echoes)
	assert.NotEmpty(t, series.Held[0].Error)
	assert.Empty(t, series.Failures, "a new connection needs one line only")
}

func breakAfterOneLine(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		line := make([]byte, len("line 0\n"))
		if _, err := io.ReadFull(conn, line); err == nil {
			_, _ = conn.Write(line)
		}
		_ = conn.Close()
	}
}

func TestARefusedConnectionIsAFailure(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	series := link.Watch{Address: address, Beat: 5 * time.Millisecond, For: 50 * time.Millisecond}.Keep(t.Context())
	require.NotEmpty(t, series.Failures)
	assert.Equal(t, "dial: connect: connection refused", series.Failures[0].Error)
}

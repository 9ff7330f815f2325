package relay_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
)

type meter struct{ sent, received atomic.Int64 }

func (m *meter) Sent(n int)     { m.sent.Add(int64(n)) }
func (m *meter) Received(n int) { m.received.Add(int64(n)) }

func pair(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	d, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close(); _ = d.Close() })
	return c.(*net.TCPConn), d.(*net.TCPConn)
}

// between runs a relay and returns the client's and the server's ends.
func between(t *testing.T, ctx context.Context) (client, server *net.TCPConn, m *meter, done chan error) {
	t.Helper()
	client, down := pair(t)
	up, server := pair(t)
	m, done = &meter{}, make(chan error, 1)
	go func() { done <- relay.Copy(ctx, down, up, m) }()
	return client, server, m, done
}

func TestHalfClosesAreIndependent(t *testing.T) {
	client, server, m, done := between(t, t.Context())
	_, err := client.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, client.CloseWrite())
	question, err := io.ReadAll(server)
	require.NoError(t, err)
	assert.Equal(t, "question", string(question))
	_, err = server.Write([]byte("long answer"))
	require.NoError(t, err, "the other direction is open")
	require.NoError(t, server.CloseWrite())
	answer, err := io.ReadAll(client)
	require.NoError(t, err)
	assert.Equal(t, "long answer", string(answer))
	require.NoError(t, <-done)
	assert.Equal(t, []int64{8, 11}, []int64{m.sent.Load(), m.received.Load()})
}

func TestServerMayEndFirst(t *testing.T) {
	client, server, _, done := between(t, t.Context())
	require.NoError(t, server.CloseWrite())
	_, err := io.ReadAll(client)
	require.NoError(t, err)
	_, err = client.Write([]byte("still heard"))
	require.NoError(t, err)
	require.NoError(t, client.CloseWrite())
	heard, err := io.ReadAll(server)
	require.NoError(t, err)
	assert.Equal(t, "still heard", string(heard))
	require.NoError(t, <-done)
}

func TestResetEndsBoth(t *testing.T) {
	client, server, _, done := between(t, t.Context())
	require.NoError(t, client.SetLinger(0))
	require.NoError(t, client.Close())
	require.Error(t, <-done)
	require.NoError(t, server.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := server.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestEndOfContextCuts(t *testing.T) {
	ctx, cut := context.WithCancelCause(t.Context())
	client, _, _, done := between(t, ctx)
	reason := errors.New("policy changed")
	cut(reason)
	require.ErrorIs(t, <-done, reason)
	require.NoError(t, client.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// held writes nothing before it is released.
type held struct {
	*net.TCPConn
	release chan struct{}
}

func (h held) Write(p []byte) (int, error) {
	<-h.release
	return h.TCPConn.Write(p)
}

// An application may answer and hang up while its client still sends: the
// client gets the whole answer, and is not waited for without end.
func TestAnswerIsWholeWhileTheClientStillSends(t *testing.T) {
	client, accepted := pair(t)
	up, server := pair(t)
	down := held{TCPConn: accepted, release: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- relay.Copy(t.Context(), down, up, &meter{}) }()
	var sent atomic.Int64
	broken := make(chan error, 1)
	go func() {
		for piece := make([]byte, 64<<10); ; sent.Add(int64(len(piece))) {
			if _, err := client.Write(piece); err != nil {
				broken <- err
				return
			}
		}
	}()
	_, err := io.ReadFull(server, make([]byte, 1))
	require.NoError(t, err)
	answer := make([]byte, 48<<10)
	_, err = server.Write(answer)
	require.NoError(t, err)
	require.NoError(t, server.Close())
	closed := sent.Load()
	require.Eventually(t, func() bool { return len(broken) > 0 || sent.Load() > closed+64<<20 }, 20*time.Second, time.Millisecond,
		"what the application does not take any more is let go")
	close(down.release)
	got, err := io.ReadAll(client)
	require.NoError(t, err)
	assert.Len(t, got, len(answer))
	require.Error(t, <-done)
	require.Error(t, <-broken, "a client that never stops is hung up on")
}

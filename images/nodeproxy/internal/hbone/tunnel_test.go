package hbone_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
)

func TestTunnel(t *testing.T) {
	s := newSite(t, echo)
	d := s.mustTunnel(t)
	exchange(t, d, "ping")
	call := s.gate.calls[0]
	assert.Equal(t, s.client.ID, call.Peer)
	assert.Equal(t, "10.96.0.1:80", call.Authority.String())
	assert.Equal(t, s.hop.Addr, call.Local)
	assert.Equal(t, "k=v", call.Header.Get("Baggage"))
}

// The client ends its half; the application still answers all it has.
func TestHalfCloseByClient(t *testing.T) {
	s := newSite(t, func(c *net.TCPConn) {
		request, _ := io.ReadAll(c)
		_, _ = c.Write(bytes.Repeat(request, 1000))
	})
	d := s.mustTunnel(t)
	_, err := d.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, d.CloseWrite())
	answer, err := io.ReadAll(d)
	require.NoError(t, err)
	assert.Len(t, answer, 8000)
}

// The application ends its half; the client reads everything and then the end.
func TestHalfCloseByApplication(t *testing.T) {
	s := newSite(t, func(c *net.TCPConn) {
		_, _ = c.Write(bytes.Repeat([]byte("x"), 3<<20))
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	d := s.mustTunnel(t)
	body, err := io.ReadAll(d)
	require.NoError(t, err)
	assert.Len(t, body, 3<<20)
}

// A stream that nobody reads must not hold up its neighbours.
func TestStalledStreamDelaysNobody(t *testing.T) {
	s := newSite(t, func(c *net.TCPConn) {
		first := make([]byte, 1)
		_, _ = io.ReadFull(c, first)
		if first[0] == 's' { // a sink that never reads on
			<-t.Context().Done()
			return
		}
		_, _ = c.Write(first)
		echo(c)
	})
	stalled := s.mustTunnel(t)
	go func() {
		for {
			if _, err := stalled.Write(append([]byte("s"), make([]byte, 1<<20)...)); err != nil {
				return
			}
		}
	}()
	for range 20 {
		exchange(t, s.mustTunnel(t), "hello")
	}
	assert.Equal(t, int32(1), s.accepted.Load(), "all on one connection")
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

// The answer of an application that does not wait for the end of the question
// arrives whole, however slowly the client takes it.
func TestAnswerIsWholeWhileTheClientStillSends(t *testing.T) {
	const size = 48 << 10
	answer := func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 1))
		_, _ = c.Write(make([]byte, size))
	}
	for name, application := range map[string]func(*net.TCPConn){
		"hangs up":      answer,
		"ends its half": func(c *net.TCPConn) { answer(c); _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, application)
			release := make(chan struct{})
			at := serve(t, func(c *net.TCPConn) {
				d, err := s.tunnel(t)
				if assert.NoError(t, err) {
					_ = relay.Copy(t.Context(), held{c, release}, d, unmetered{})
				}
			})
			client, err := net.Dial("tcp", at)
			require.NoError(t, err)
			defer client.Close()
			var sent atomic.Int64
			go func() {
				for piece := make([]byte, 64<<10); ; sent.Add(int64(len(piece))) {
					if _, err := client.Write(piece); err != nil {
						sent.Store(1 << 40)
						return
					}
				}
			}()
			require.Eventually(t, func() bool { return sent.Load() > 64<<20 }, 20*time.Second, time.Millisecond)
			close(release)
			got, err := io.ReadAll(client)
			require.NoError(t, err)
			assert.Len(t, got, size)
		})
	}
}

// Whoever cuts a tunnel need not wait for a peer that does not read.
func TestCutFreesADownloadThatIsStuck(t *testing.T) {
	var written atomic.Int64
	s := newSite(t, func(c *net.TCPConn) {
		for err := error(nil); err == nil; written.Add(64 << 10) {
			_, err = c.Write(make([]byte, 64<<10))
		}
	})
	life, cut := context.WithCancel(t.Context())
	defer cut()
	s.gate.life, s.gate.ended = life, make(chan struct{}, 1)
	s.mustTunnel(t)
	last := int64(0)
	require.Eventually(t, func() bool {
		before := last
		last = written.Load()
		return last > 0 && last == before
	}, 20*time.Second, 200*time.Millisecond, "the windows are full")
	cut()
	select {
	case <-s.gate.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the handler is still there")
	}
}

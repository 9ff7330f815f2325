package hbone_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

func TestHundredStreamsPerConnection(t *testing.T) {
	s := newSite(t, echo)
	tunnels := make(chan relay.Duplex, 250)
	var group sync.WaitGroup
	for range cap(tunnels) {
		group.Go(func() {
			d, err := s.tunnel(t)
			if assert.NoError(t, err) {
				tunnels <- d
			}
		})
	}
	group.Wait()
	assert.Equal(t, int32(3), s.dialed.Load(), "250 streams at 100 per connection")
	for range 250 {
		d := <-tunnels
		exchange(t, d, "still there")
		require.NoError(t, d.CloseWrite())
		_, err := io.ReadAll(d)
		require.NoError(t, err)
		_ = d.Close()
	}
	exchange(t, s.mustTunnel(t), "reused")
	assert.Equal(t, int32(3), s.dialed.Load())
}

func TestConnectionsAreNotSharedAcrossIdentities(t *testing.T) {
	s := newSite(t, echo)
	exchange(t, s.mustTunnel(t), "one")
	s.client = s.ca.Certificate(t, spiffe.New("", "ns", "someone-else"))
	s.hop.Source = s.client.ID.String()
	exchange(t, s.mustTunnel(t), "two")
	assert.Equal(t, int32(2), s.dialed.Load())
	assert.Equal(t, "someone-else", s.gate.calls[1].Peer.ServiceAccount)
}

// Callers that wait while a dial fails do not each wait for a failure of their
// own.
func TestWaitersShareAFailure(t *testing.T) {
	ca := fakemesh.NewCA(t)
	cert := ca.Certificate(t, spiffe.New("", "ns", "client"))
	var dials atomic.Int32
	release := make(chan struct{})
	pool := hbone.NewPool(func(context.Context, netip.AddrPort) (net.Conn, error) {
		dials.Add(1)
		<-release
		return nil, errors.New("no route")
	})
	defer pool.Close()
	hop := hbone.Hop{Addr: netip.MustParseAddrPort("10.0.0.1:15008")}
	results := make(chan error, 50)
	for range cap(results) {
		go func() {
			_, err := pool.Tunnel(t.Context(), hop, cert.Client(nil), hbone.Target{})
			results <- err
		}()
	}
	require.Eventually(t, func() bool { return pool.Waiting() == cap(results) }, 5*time.Second, time.Millisecond)
	close(release)
	for range cap(results) {
		require.ErrorContains(t, <-results, "no route")
	}
	assert.Equal(t, int32(1), dials.Load())
}

func TestClosedPoolCutsAndRefuses(t *testing.T) {
	s := newSite(t, echo)
	d := s.mustTunnel(t)
	exchange(t, d, "before")
	s.pool.Close()
	_, err := io.ReadAll(d)
	require.Error(t, err)
	_, err = s.tunnel(t)
	require.ErrorIs(t, err, net.ErrClosed)
}

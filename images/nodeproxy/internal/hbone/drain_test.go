package hbone_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDrain(t *testing.T) {
	s := newSite(t, echo)
	d := s.mustTunnel(t)
	exchange(t, d, "before")
	s.replace(t).Drain(t.Context())
	exchange(t, d, "running streams go on")
	require.Eventually(t, func() bool {
		fresh := s.mustTunnel(t)
		defer fresh.Close()
		return s.dialed.Load() == 2
	}, 5*time.Second, 10*time.Millisecond, "no new stream on the old connection")
	exchange(t, d, "and on")
}

// A CONNECT may cross the server's goodbye on the way, and is sent again then.
func TestNoTunnelIsLostToAGoodbye(t *testing.T) {
	s := newSite(t, echo)
	lost := make(chan error, 20)
	var callers sync.WaitGroup
	for range cap(lost) {
		callers.Go(func() {
			for s.dialed.Load() < 5 && t.Context().Err() == nil {
				d, err := s.tunnel(t)
				if err != nil {
					lost <- err
					return
				}
				_ = d.Close()
			}
		})
	}
	assert.Eventually(t, func() bool {
		s.replace(t).Drain(t.Context())
		return s.dialed.Load() >= 5 || len(lost) == cap(lost)
	}, 10*time.Second, 100*time.Millisecond)
	callers.Wait()
	close(lost)
	for err := range lost {
		assert.NoError(t, err)
	}
}

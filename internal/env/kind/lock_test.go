package kind

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// TestOneRunAtATimeWorksOnACluster: removing a cluster removes its lock's file
// too, under whoever waits for it.
func TestOneRunAtATimeWorksOnACluster(t *testing.T) {
	dir := t.TempDir()
	var inside atomic.Int32
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			environment := environmentWith(t, Options{Cluster: "one"})
			environment.cache.Dir = dir
			for range 3 {
				unlock, err := environment.lock(t.Context())
				if err != nil {
					return err
				}
				assert.Equal(t, int32(1), inside.Add(1))
				err = forget(environment.stateDir(), "one")
				inside.Add(-1)
				unlock()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

package istiod_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/istiod"
)

// door stands before a control plane and hangs up on whoever comes while it is
// shut.
type door struct {
	to       string
	shut     atomic.Bool
	rejected atomic.Int32
}

func (d *door) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.pass(c)
		}
	}()
	return l.Addr().String()
}

func (d *door) pass(c net.Conn) {
	defer c.Close()
	if d.shut.Load() {
		d.rejected.Add(1)
		return
	}
	inside, err := net.Dial("tcp", d.to)
	if err != nil {
		return
	}
	defer inside.Close()
	go func() { _, _ = io.Copy(inside, c); _ = inside.Close() }()
	_, _ = io.Copy(c, inside)
}

// insist keeps asking for the connection until it is there.
func insist(ctx context.Context, conn *grpc.ClientConn) error {
	for {
		state := conn.GetState()
		if state == connectivity.Ready {
			return nil
		}
		conn.Connect()
		if !conn.WaitForStateChange(ctx, state) {
			return context.Cause(ctx)
		}
	}
}

// The pauses between attempts stay short enough for a restart to be noticed: by
// the library's own, six attempts take more than ten seconds.
func TestControlPlaneThatComesBackIsFoundSoon(t *testing.T) {
	d := fakemesh.NewIstiod(t)
	door := &door{to: d.Address}
	door.shut.Store(true)
	conn, err := istiod.Dial(istiod.Endpoint{Address: door.listen(t), RootFile: d.RootFile(), TokenFile: d.TokenFile()})
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	found := make(chan error, 1)
	go func() { found <- insist(ctx, conn) }()
	require.Eventually(t, func() bool { return door.rejected.Load() >= 6 }, 6*time.Second, 5*time.Millisecond)
	door.shut.Store(false)
	require.NoError(t, <-found)
}

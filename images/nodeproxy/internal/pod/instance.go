package pod

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/inbound"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/notify"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/zds"
)

// Instance is one pod's running proxy.
type Instance struct {
	pod       zds.Pod
	namespace *netns.Namespace
	pool      *hbone.Pool
	tunnels   *inbound.Tunnels
	log       *slog.Logger
	hangUp    context.CancelCauseFunc

	listeners []net.Listener
	running   sync.WaitGroup // accept loops and connections
}

// errReleased is what connections are told that are cut with their pod.
var errReleased = errors.New("the pod is no longer captured")

// accept hands every connection to serve until the listener is closed.
func (i *Instance) accept(ctx context.Context, l net.Listener, serve func(context.Context, *net.TCPConn)) {
	backoff := notify.Backoff{First: 5 * time.Millisecond, Limit: time.Second}
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			backoff.Reset()
			i.running.Go(func() { serve(ctx, conn.(*net.TCPConn)) })
		case errors.Is(err, net.ErrClosed):
			return
		default:
			i.log.Warn("accept failed", "pod", i.pod.UID, "listener", l.Addr(), "error", err)
			if backoff.Wait(ctx) != nil {
				return
			}
		}
	}
}

func (i *Instance) closeListeners() {
	for _, l := range i.listeners {
		_ = l.Close() // a listener that cannot be closed is closed already
	}
}

// Drain leaves new connections to the successor, if there is one, and asks
// peers to open no new streams; what runs goes on. What is already on its way
// here is still taken until closeListeners.
func (i *Instance) Drain(ctx context.Context) {
	for _, l := range i.listeners {
		if err := netns.Yield(l); err != nil {
			i.log.Warn("connections may be lost to the hand-over", "pod", i.pod.UID, "error", err)
		}
	}
	i.tunnels.Drain(ctx)
}

// Wait returns when the last connection has ended.
func (i *Instance) Wait() { i.running.Wait() }

// Stop cuts everything at once, and frees the namespace when the last
// connection has noticed.
func (i *Instance) Stop() error {
	i.closeListeners()
	i.hangUp(errReleased)
	i.pool.Close()
	i.running.Wait()
	return i.namespace.Close()
}

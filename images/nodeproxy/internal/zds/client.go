package zds

import (
	"context"
	"log/slog"
	"time"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/notify"
)

const (
	firstRetry = 10 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// Client keeps a session with istio-cni at a socket path.
type Client struct {
	Path    string
	Handler Handler
	Log     *slog.Logger
}

// Run connects, and connects again, until the context ends. Pods stay as they
// are while there is no session.
func (c *Client) Run(ctx context.Context) error {
	backoff := notify.Backoff{First: firstRetry, Limit: lastRetry}
	for ctx.Err() == nil {
		complete, err := c.once(ctx)
		if complete {
			backoff.Reset()
		}
		if ctx.Err() != nil {
			break
		}
		c.Log.Warn("no session with istio-cni, trying again", "error", err)
		if err := backoff.Wait(ctx); err != nil {
			break
		}
	}
	return ctx.Err()
}

// once reports beside the error whether the session got past its snapshot.
func (c *Client) once(ctx context.Context) (bool, error) {
	conn, err := dial(ctx, c.Path)
	if err != nil {
		return false, err
	}
	s := &session{conn: conn, handler: c.Handler, log: c.Log, seen: map[string]bool{}}
	err = s.run(ctx)
	return s.complete, err
}

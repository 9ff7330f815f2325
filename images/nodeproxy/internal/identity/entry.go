package identity

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/notify"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 150 * time.Second
)

// entry is one identity's certificate as it comes and is renewed.
type entry struct {
	id      spiffe.ID
	dropped chan struct{}
	changed notify.Broadcast

	mu   sync.Mutex
	cert *Certificate
	err  error
}

func (e *entry) state() (*Certificate, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cert, e.err
}

// set keeps the old certificate beside a failure: it is good until it expires.
func (e *entry) set(cert *Certificate, err error) {
	e.mu.Lock()
	if err == nil {
		e.cert = cert
	}
	e.err = err
	e.mu.Unlock()
	e.changed.Fire()
}

// keep fetches and renews until the entry is dropped or the context ends.
func (c *Cache) keep(ctx context.Context, e *entry) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-e.dropped:
			cancel()
		case <-ctx.Done():
		}
	}()
	backoff := notify.Backoff{First: firstRetry, Limit: lastRetry}
	for ctx.Err() == nil {
		pause := c.refresh(ctx, e, &backoff)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// refresh asks the authority once and returns how long to wait after it.
func (c *Cache) refresh(ctx context.Context, e *entry, backoff *notify.Backoff) time.Duration {
	if err := c.slots.Acquire(ctx, 1); err != nil {
		return 0 // the context has ended
	}
	cert, err := c.signer.Sign(ctx, e.id)
	c.slots.Release(1)
	e.set(cert, err)
	if err != nil {
		pause := backoff.Next()
		if ctx.Err() == nil {
			c.log.Warn("certificate not renewed", "identity", e.id, "retry", pause, "error", err)
		}
		return pause
	}
	backoff.Reset()
	c.log.Info("certificate issued", "identity", e.id, "until", cert.Leaf().NotAfter)
	return max(time.Until(cert.halfLife()), firstRetry)
}

// Snapshot describes one identity for display.
type Snapshot struct {
	ID   spiffe.ID
	Cert *Certificate // nil while there is none
	Err  error        // the last failure, nil after a success
}

// Snapshots lists all identities in order.
func (c *Cache) Snapshots() []Snapshot {
	var out []Snapshot
	for _, e := range c.all() {
		cert, err := e.state()
		out = append(out, Snapshot{ID: e.id, Cert: cert, Err: err})
	}
	slices.SortFunc(out, func(a, b Snapshot) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	return out
}

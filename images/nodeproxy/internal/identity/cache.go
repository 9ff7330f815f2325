package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// signers bounds the requests that are under way at the authority.
const signers = 8

// Signer is what the cache needs of an authority.
type Signer interface {
	Sign(ctx context.Context, id spiffe.ID) (*Certificate, error)
}

// Cache keeps one certificate per identity, renewed at half of its life for as
// long as the identity is wanted.
type Cache struct {
	signer Signer
	log    *slog.Logger
	slots  *semaphore.Weighted
	begin  chan *entry

	mu      sync.Mutex
	entries map[spiffe.ID]*entry
}

// NewCache issues nothing until Run is running.
func NewCache(signer Signer, log *slog.Logger) *Cache {
	return &Cache{
		signer: signer, log: log, slots: semaphore.NewWeighted(signers),
		begin: make(chan *entry), entries: map[spiffe.ID]*entry{},
	}
}

// Run keeps the certificates fresh until the context ends.
func (c *Cache) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-c.begin:
			group.Go(func() { c.keep(ctx, e) })
		}
	}
}

// errDropped ends the wait for an identity whose last workload has gone.
var errDropped = errors.New("identity is no longer wanted")

// Get returns a valid certificate, fetching it if need be; it waits as long as
// the context allows.
func (c *Cache) Get(ctx context.Context, id spiffe.ID) (*Certificate, error) {
	e, err := c.entry(ctx, id)
	if err != nil {
		return nil, err
	}
	for {
		changed := e.changed.Changed()
		cert, lastErr := e.state()
		if cert != nil && cert.validAt(time.Now()) {
			return cert, nil
		}
		select {
		case <-changed:
		case <-e.dropped:
			return nil, fmt.Errorf("certificate of %s: %w", id, errDropped)
		case <-ctx.Done():
			return nil, fmt.Errorf("certificate of %s: %w", id, errors.Join(context.Cause(ctx), lastErr))
		}
	}
}

// entry finds or begins an identity's upkeep.
func (c *Cache) entry(ctx context.Context, id spiffe.ID) (*entry, error) {
	c.mu.Lock()
	e, ok := c.entries[id]
	if !ok {
		e = &entry{id: id, dropped: make(chan struct{})}
		c.entries[id] = e
	}
	c.mu.Unlock()
	if ok {
		return e, nil
	}
	select {
	case c.begin <- e:
		return e, nil
	case <-ctx.Done():
		c.drop(e)
		return nil, fmt.Errorf("certificate of %s: %w", id, context.Cause(ctx))
	}
}

func (c *Cache) drop(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[e.id] == e {
		delete(c.entries, e.id)
		close(e.dropped)
	}
}

// Retain fetches ahead what is marked true and drops what is not listed.
func (c *Cache) Retain(ctx context.Context, wanted map[spiffe.ID]bool) {
	for _, e := range c.all() {
		if _, ok := wanted[e.id]; !ok {
			c.drop(e)
		}
	}
	for id, ahead := range wanted {
		if !ahead {
			continue
		}
		if _, err := c.entry(ctx, id); err != nil {
			return // the context has ended
		}
	}
}

func (c *Cache) all() []*entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*entry
	for _, e := range c.entries {
		all = append(all, e)
	}
	return all
}

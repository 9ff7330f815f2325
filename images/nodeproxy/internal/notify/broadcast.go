// Package notify wakes any number of waiters when shared state has changed. It
// carries no data: a waiter looks at the state again.
package notify

import "sync"

// Broadcast is ready for use as its zero value.
type Broadcast struct {
	mu      sync.Mutex
	changed chan struct{}
}

// Changed returns a channel that closes at the next Fire. Take it before
// looking at the state, or a change in between is missed.
func (b *Broadcast) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

// Fire wakes everyone who waits now.
func (b *Broadcast) Fire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

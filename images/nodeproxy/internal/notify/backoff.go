package notify

import (
	"context"
	"time"
)

// Backoff is the pause before the next try: First, doubled by every failure up
// to Limit.
type Backoff struct {
	First, Limit time.Duration
	next         time.Duration
}

// Wait pauses for the present delay and lengthens the next one. It returns the
// context's error when that ends first.
func (b *Backoff) Wait(ctx context.Context) error {
	timer := time.NewTimer(b.Next())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Next returns the present delay and doubles the one after it.
func (b *Backoff) Next() time.Duration {
	delay := max(b.next, b.First)
	b.next = min(2*delay, b.Limit)
	return delay
}

// Reset starts over after a success.
func (b *Backoff) Reset() { b.next = 0 }

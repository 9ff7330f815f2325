package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/e2e-framework/klient/wait"
)

// Wait is what to wait for, for how long, and how often to look (a quarter of
// a second unless told).
type Wait struct {
	What   string
	Within time.Duration
	Every  time.Duration
}

// Probe looks once. state is what it saw, in words for a reader; an error that
// is not fatal is remembered and the wait goes on.
type Probe func(ctx context.Context) (done bool, state string, err error)

// fatal marks an error that no waiting will mend.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// Fatal makes Await give up at once with err.
func Fatal(err error) error { return fatal{err} }

// Timeout is a wait that ended without what it waited for.
type Timeout struct {
	What  string
	After time.Duration
	State string // the last state seen
	Last  error  // the last error of a probe, nil if it had none
	Cause error  // context.DeadlineExceeded or context.Canceled
}

func (t *Timeout) Error() string {
	text := fmt.Sprintf("wait for %s: not within %s", t.What, t.After.Round(time.Millisecond))
	if errors.Is(t.Cause, context.Canceled) {
		text = fmt.Sprintf("wait for %s: given up after %s", t.What, t.After.Round(time.Millisecond))
	}
	if t.State != "" {
		text += "; last seen: " + t.State
	}
	if t.Last != nil {
		text += "; last error: " + t.Last.Error()
	}
	return text
}

// Unwrap lets errors.Is tell a deadline from a cancellation.
func (t *Timeout) Unwrap() error { return t.Cause }

// Await looks at once and then again and again until the probe is done, the
// time is over, or ctx ends. A timeout's message carries the last state and
// the last error.
func Await(ctx context.Context, w Wait, probe Probe) error {
	if w.Every == 0 {
		w.Every = 250 * time.Millisecond
	}
	began := time.Now()
	timeout := &Timeout{What: w.What}
	err := wait.For(func(ctx context.Context) (bool, error) {
		done, state, err := probe(ctx)
		return done, timeout.note(ctx, state, err)
	}, wait.WithContext(ctx), wait.WithTimeout(w.Within), wait.WithInterval(w.Every), wait.WithImmediate())
	if err == nil {
		return nil
	}
	if hopeless, ok := errors.AsType[fatal](err); ok {
		return fmt.Errorf("wait for %s: %w", w.What, hopeless.error)
	}
	timeout.After, timeout.Cause = time.Since(began), err
	return timeout
}

// note keeps what a reader of a timeout wants. An error that only says that
// the wait's own time is over would hide the one before it.
func (t *Timeout) note(ctx context.Context, state string, err error) error {
	if _, hopeless := errors.AsType[fatal](err); hopeless {
		return err
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the wait itself says that its time is over
	}
	if state != "" {
		t.State = state
	}
	t.Last = err
	return nil
}

package watchdog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// Every is how often pledges and heartbeats are looked at.
const Every = 2 * time.Second

// Doer undoes deeds on the node that it is on.
type Doer interface {
	Undo(ctx context.Context, d pledge.Deed) (string, error)
}

// Watch is one party at work.
type Watch struct {
	Server *Server
	Party  pledge.Party
	Doer   Doer // nil for the watchdog of the cluster
	Log    func(format string, args ...any)

	heart *pledge.Heart
}

// Run looks again and again until ctx ends. What fails is said and tried again
// at the next look: an undo is idempotent.
func (w *Watch) Run(ctx context.Context) error {
	w.heart = pledge.NewHeart()
	w.Log("watching as %s", w.Party)
	ticker := time.NewTicker(Every)
	defer ticker.Stop()
	for {
		if err := w.look(ctx, time.Now()); err != nil && ctx.Err() == nil {
			w.Log("%v", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look carries out what is overdue by now.
func (w *Watch) look(ctx context.Context, now time.Time) error {
	found, err := w.Server.pledges(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, one := range found {
		if one.broken != nil {
			all = errors.Join(all, fmt.Errorf("pledge %s: %w", one.name, one.broken))
			continue
		}
		all = errors.Join(all, w.attend(ctx, one, now))
	}
	return all
}

func (w *Watch) attend(ctx context.Context, one stored, now time.Time) error {
	stamp, err := w.Server.stamp(ctx, one.pledge.Run)
	if err != nil {
		return err
	}
	w.heart.See(one.pledge.Run, stamp, now)
	why := w.heart.Overdue(one.pledge, now)
	if why == "" {
		return nil
	}
	if one.data[pledge.DoneKey(w.Party)] == "" {
		return w.undo(ctx, one, why)
	}
	if w.Party == pledge.Watchdog && complete(one) {
		w.Log("pledge %s is kept, taken away", one.name)
		return w.Server.erase(ctx, one)
	}
	return nil
}

func complete(one stored) bool {
	for _, party := range one.pledge.Parties() {
		if one.data[pledge.DoneKey(party)] == "" {
			return false
		}
	}
	return true
}

// undo carries out the party's steps, all of them even if one fails, and says
// so if none did.
func (w *Watch) undo(ctx context.Context, one stored, why string) error {
	var all error
	for _, step := range one.pledge.Of(w.Party) {
		w.Log("pledge %s (%s of %s): %s: %s", one.name, one.pledge.Fault, one.pledge.Target, why, step.Say)
		if err := w.step(ctx, step); err != nil {
			all = errors.Join(all, fmt.Errorf("pledge %s: %s: %w", one.name, step.Say, err))
		}
	}
	if all != nil {
		return all
	}
	return w.Server.say(ctx, one.name, w.Party)
}

func (w *Watch) step(ctx context.Context, step pledge.Step) error {
	if step.Deed != nil {
		if w.Doer == nil {
			return errors.New("this watchdog does no deeds")
		}
		_, err := w.Doer.Undo(ctx, *step.Deed)
		return err
	}
	_, err := w.Server.Call(ctx, *step.Request)
	if absent(err) {
		return nil
	}
	return err
}

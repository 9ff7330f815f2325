package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Fault is one way of breaking something. Its methods are called in the order
// of Life and never at once. A fault that cannot be injected here returns an
// *Unsupported from Inject or Confirm.
type Fault interface {
	// Inject breaks it. The undo has been written down before.
	Inject(ctx context.Context) error
	// Confirm returns evidence that it is broken, from the place where it is.
	Confirm(ctx context.Context) (evidence string, err error)
	// Recover undoes it. It may be called for a fault that was injected in part,
	// or not at all, and more than once.
	Recover(ctx context.Context) error
	// ConfirmRecovered waits until everything is whole, and returns evidence.
	ConfirmRecovered(ctx context.Context) (evidence string, err error)
}

// Lasting is a fault that stays until it is undone, and can be seen to be there
// still. Others happen once.
type Lasting interface {
	// Still returns evidence that the fault is there now.
	Still(ctx context.Context) (evidence string, err error)
}

// Returning is a fault of two halves, the first of which ends before the second:
// what waited for the first can come about while the second is still there.
type Returning interface {
	// Return undoes the first half and waits until it is over. It is part of the
	// undo, too: a fault that is recovered from needs no Return.
	Return(ctx context.Context) error
}

// Unsupported is a fault that this kernel or cluster cannot have.
type Unsupported struct{ Reason string }

func (u *Unsupported) Error() string { return "unsupported here: " + u.Reason }

// State is how far a fault is in its life.
type State string

// The states of a fault's life.
const (
	Planned   State = "planned"
	Pledged   State = "pledged" // the undo is written down
	Injected  State = "injected"
	Confirmed State = "confirmed"
	Undone    State = "undone"
	Whole     State = "whole"
)

// Keeper writes an undo down where it outlives the harness, and takes it away.
type Keeper interface {
	Write(ctx context.Context) error
	// Stands returns an error where somebody has begun to carry the undo out: the
	// harness has not.
	Stands(ctx context.Context) error
	Erase(ctx context.Context) error
}

// Moment is a state that a life has reached.
type Moment struct {
	At       time.Time
	State    State
	Evidence string
}

// Life leads one fault through its states. What is not drawn is refused:
//
//	            Inject                 Confirm
//	planned ──────────────▶ injected ───────────▶ confirmed
//	   │   (pledged first)     │                      │
//	   │                       │ Recover              │ Recover
//	   │        Recover        ▼                      ▼
//	   └───────────▶        undone  ◀─────────────────┘
//	                        │    ▲
//	      ConfirmRecovered  │    └─ Recover again
//	                        ▼
//	                      whole   (the pledge is taken away)
//
// Pledged is the state between the writing of the undo and the deed; an Inject
// that fails leaves the life there, from where only Recover leads on. The pledge
// is taken away only when the whole is confirmed: until then the watchdog keeps
// it.
type Life struct {
	fault  Fault
	keeper Keeper
	seen   func(Moment)
	state  State
}

// NewLife is a fault that nothing has happened to. Seen, if not nil, is told
// each state as it is reached.
func NewLife(fault Fault, keeper Keeper, seen func(Moment)) *Life {
	if seen == nil {
		seen = func(Moment) {}
	}
	return &Life{fault: fault, keeper: keeper, seen: seen, state: Planned}
}

// State is how far the life is.
func (l *Life) State() State { return l.state }

// OrderError is a step that the state does not allow.
type OrderError struct {
	Step string
	In   State
}

func (e *OrderError) Error() string { return fmt.Sprintf("%s a fault that is %s", e.Step, e.In) }

func (l *Life) in(step string, allowed ...State) error {
	if slices.Contains(allowed, l.state) {
		return nil
	}
	return &OrderError{Step: step, In: l.state}
}

func (l *Life) reach(state State, evidence string) {
	l.state = state
	l.seen(Moment{At: time.Now().UTC(), State: state, Evidence: evidence})
}

// Inject writes the undo down and then breaks it.
func (l *Life) Inject(ctx context.Context) error {
	if err := l.in("inject", Planned); err != nil {
		return err
	}
	if err := l.keeper.Write(ctx); err != nil {
		return fmt.Errorf("write the undo down: %w", err)
	}
	l.reach(Pledged, "")
	if err := l.fault.Inject(ctx); err != nil {
		return fmt.Errorf("inject: %w", err)
	}
	l.reach(Injected, "")
	return nil
}

// Confirm asks for evidence. A fault without evidence did not happen.
func (l *Life) Confirm(ctx context.Context) error {
	if err := l.in("confirm", Injected); err != nil {
		return err
	}
	evidence, err := l.fault.Confirm(ctx)
	if err == nil && evidence == "" {
		err = errors.New("there is no evidence")
	}
	if err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	l.reach(Confirmed, evidence)
	return nil
}

// Last makes sure that the fault has lasted until now: nobody has begun to undo
// it, and one that stays is there still. The state does not change. A fault that
// did not last has no window that could be judged.
func (l *Life) Last(ctx context.Context) error {
	if err := l.in("look again at", Confirmed); err != nil {
		return err
	}
	if err := l.keeper.Stands(ctx); err != nil {
		return fmt.Errorf("the fault did not last: %w", err)
	}
	lasting, ok := l.fault.(Lasting)
	if !ok {
		return nil
	}
	if _, err := lasting.Still(ctx); err != nil {
		return fmt.Errorf("the fault did not last: %w", err)
	}
	return nil
}

// Return ends the first half of a fault that has two. It stays confirmed.
func (l *Life) Return(ctx context.Context) error {
	if err := l.in("return the first half of", Confirmed); err != nil {
		return err
	}
	returning, ok := l.fault.(Returning)
	if !ok {
		return errors.New("the fault has no first half to return")
	}
	if err := returning.Return(ctx); err != nil {
		return fmt.Errorf("return: %w", err)
	}
	return nil
}

// Recover undoes the fault, however far it got.
func (l *Life) Recover(ctx context.Context) error {
	if err := l.in("recover", Planned, Pledged, Injected, Confirmed, Undone); err != nil {
		return err
	}
	if err := l.fault.Recover(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	l.reach(Undone, "")
	return nil
}

// ConfirmRecovered waits for the whole and takes the pledge away.
func (l *Life) ConfirmRecovered(ctx context.Context) error {
	if err := l.in("confirm recovery of", Undone); err != nil {
		return err
	}
	evidence, err := l.fault.ConfirmRecovered(ctx)
	if err == nil && evidence == "" {
		err = errors.New("there is no evidence")
	}
	if err != nil {
		return fmt.Errorf("confirm recovery: %w", err)
	}
	if err := l.keeper.Erase(ctx); err != nil {
		return fmt.Errorf("take the pledge away: %w", err)
	}
	l.reach(Whole, evidence)
	return nil
}

// End brings a life to its end from wherever it is; on one that is whole it
// does nothing.
func (l *Life) End(ctx context.Context) error {
	if l.state == Whole {
		return nil
	}
	if err := l.Recover(ctx); err != nil {
		return err
	}
	return l.ConfirmRecovered(ctx)
}

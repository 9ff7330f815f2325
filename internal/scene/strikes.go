package scene

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// strikes plays a schedule of faults under one load: a baseline, each fault at
// its time or as soon as the one before it is over, and a calm end.
func (s *show) strikes(ctx context.Context) error {
	start := time.Now()
	for _, strike := range s.experiment.Strikes {
		s.scene.event("strike planned", fmt.Sprintf("strike %d at %v", strike.Number, strike.At), strike.Spec.String())
	}
	if err := s.arms.hold(ctx, s.experiment.Phases.Baseline); err != nil {
		return err
	}
	begun := s.note(chaos.WindowBaseline, start, "")
	if err := s.calm(ctx); err != nil {
		return err
	}
	for _, strike := range s.experiment.Strikes {
		err := s.arms.hold(ctx, max(strike.At-time.Since(begun), 0))
		if err == nil {
			err = s.strike(ctx, strike)
		}
		if errors.Is(err, errBurnt) {
			s.scene.event("schedule ended early", strike.Spec.String(), err.Error())
			break
		}
		if err != nil {
			return fmt.Errorf("strike %d, %s: %w", strike.Number, strike.Spec, err)
		}
	}
	quiet := time.Now().Add(recoveryPause)
	if err := s.arms.hold(ctx, recoveryPause+s.experiment.Phases.After); err != nil {
		return err
	}
	s.note(chaos.WindowAfter, quiet, "")
	return nil
}

// strike plays one fault of a schedule. One that cannot be had here is noted
// and passed over.
func (s *show) strike(ctx context.Context, strike chaos.Strike) error {
	if err := s.prepare(ctx, strike.Spec, 0); err != nil {
		return err
	}
	injected := time.Now()
	err := s.life.Inject(ctx)
	if err == nil {
		err = s.life.Confirm(ctx)
	}
	if unsupported, ok := errors.AsType[*chaos.Unsupported](err); ok {
		s.scene.lack(catalogue.FaultAbility(strike.Spec), unsupported.Reason)
		return s.life.End(ctx)
	}
	if err != nil {
		return err
	}
	if catalogue.Settles(strike.Spec) {
		injected = time.Now()
	}
	held := s.arms.hold(ctx, strike.Spec.Hold)
	if held != nil && !errors.Is(held, errBurnt) {
		return held
	}
	s.lasted(ctx, catalogue.StrikeWindow(strike), injected, strike.Spec)
	return errors.Join(held, s.life.End(ctx))
}

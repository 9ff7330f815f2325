package loadgen

import (
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// skipAfter is the least lateness at which the skip pacing calls a request
// missed. Timers of a busy machine are late by a millisecond or more, which at
// a high rate is several intervals and no reason to drop load.
const skipAfter = 10 * time.Millisecond

// pacer is a vegeta.Pacer over one plan: vegeta's ConstantPacer computes the
// waits, from our clock instead of vegeta's, so that the schedule is anchored
// at the plan's start, and waiting ends when the attack does.
//
// It also remembers which place in the plan each of vegeta's hits has, because
// the two part company where requests are skipped.
type pacer struct {
	constant vegeta.ConstantPacer
	plan     Plan
	clock    clock
	late     time.Duration // how late is missed; 0 = never
	timer    *time.Timer
	done     <-chan struct{}

	mu      sync.Mutex
	next    int   // the plan's next request
	skipped int   // requests that were dropped
	places  []int // place in the plan by vegeta's sequence
}

// clock measures offsets from the start of an attack, monotonically.
type clock struct{ base time.Time }

// newClock anchors at an instant that may have lost its monotonic reading.
func newClock(start time.Time) clock {
	now := time.Now()
	return clock{base: now.Add(start.Sub(now))}
}

func (c clock) now() time.Duration { return time.Since(c.base) }

// at places an instant with a monotonic reading.
func (c clock) at(t time.Time) time.Duration { return t.Sub(c.base) }

func newPacer(plan Plan, clock clock, done <-chan struct{}) *pacer {
	p := &pacer{
		constant: vegeta.ConstantPacer{Freq: 1, Per: plan.Interval()},
		plan:     plan,
		clock:    clock,
		timer:    time.NewTimer(0),
		done:     done,
		places:   make([]int, 0, min(plan.Load.Hits, 1<<16)),
	}
	if plan.Load.Pacing == Skip {
		p.late = max(plan.Interval(), skipAfter)
	}
	return p
}

// Rate is part of vegeta.Pacer: requests per second.
func (p *pacer) Rate(elapsed time.Duration) float64 { return p.constant.Rate(elapsed) }

// Pace returns when the next request is due, having waited for it here rather
// than let vegeta sleep: vegeta's sleep cannot be interrupted.
func (p *pacer) Pace(time.Duration, uint64) (time.Duration, bool) {
	seq, ok := p.claim()
	if !ok {
		return 0, true
	}
	// Before the start the clock is negative, which ConstantPacer cannot read.
	now := p.clock.now()
	wait, stop := p.constant.Pace(max(now, 0), uint64(seq))
	if stop || !p.sleep(wait-min(now, 0)) {
		return 0, true
	}
	p.mu.Lock()
	p.places = append(p.places, seq)
	p.mu.Unlock()
	return 0, false
}

// claim takes the next place of the plan, dropping what is missed.
func (p *pacer) claim() (int, bool) {
	now := p.clock.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.late > 0 && p.next < p.plan.Load.Hits && now-p.plan.Intended(p.next) > p.late {
		p.next++
		p.skipped++
	}
	if p.next >= p.plan.Load.Hits {
		return 0, false
	}
	p.next++
	return p.next - 1, true
}

// sleep waits, and says false when the attack ended meanwhile.
func (p *pacer) sleep(wait time.Duration) bool {
	if wait <= 0 {
		select {
		case <-p.done:
			return false
		default:
			return true
		}
	}
	p.timer.Reset(wait)
	select {
	case <-p.timer.C:
		return true
	case <-p.done:
		return false
	}
}

// place is where in the plan vegeta's n-th hit belongs. Pace has always noted
// it before vegeta hands out the number.
func (p *pacer) place(n uint64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.places[n]
}

func (p *pacer) dropped() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.skipped
}

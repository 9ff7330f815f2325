package claim

import (
	"fmt"

	"github.com/wayproof/wayproof/internal/record"
)

// Watcher follows a stage while its load runs and tells when nothing more can
// be learnt for the promises that read it, so that the load may stop. It gives
// no verdict: Judge does, from the record, and comes to the same decision
// because requests are taken in intended order here too. It is for one
// goroutine.
type Watcher struct {
	stage   *record.Stage
	seen    marks
	prefix  int // requests 0..prefix-1 are all there
	waiting []waiting
}

// settler is an accumulator that can decide early.
type settler interface {
	accumulator
	settled() bool
}

// refuter is a settler that knows from an answer alone that it will be violated,
// and goes on all the same to tell how often and in what respects.
type refuter interface{ refuted() bool }

// waiting is a promise that is not decided yet: by its own word if it can tell,
// else when the first n requests are there. A claim that reads only some of the
// requests must tell by itself: n of all may be few of its own.
type waiting struct {
	early   settler
	n       int
	refuted func() bool // set where a violation is enough
}

func (w waiting) decided(prefix int) bool {
	if w.early == nil {
		return prefix >= w.n
	}
	return w.early.settled() || w.refuted != nil && w.refuted()
}

// Watch opens the promises that read the stage. Promises that cannot tell by
// themselves, and those whose property is only collected after the load, want
// their whole N.
func Watch(stage *record.Stage, promises []record.Promise) (*Watcher, error) {
	w := &Watcher{stage: stage}
	run := &record.Run{Stages: []record.Stage{*stage}}
	for _, p := range promises {
		one, err := await(brief{promise: p, stages: []*record.Stage{stage}, run: run})
		if err != nil {
			return nil, fmt.Errorf("watch promise %s: %w", p.ID, err)
		}
		w.waiting = append(w.waiting, one)
	}
	return w, nil
}

// Hunt is Watch where nothing is to be learnt of a promise that is violated, for
// instance from a defect made on purpose: the load may stop at once then.
func Hunt(stage *record.Stage, promises []record.Promise) (*Watcher, error) {
	w, err := Watch(stage, promises)
	if err != nil {
		return nil, err
	}
	for i := range w.waiting {
		if r, ok := w.waiting[i].early.(refuter); ok {
			w.waiting[i].refuted = r.refuted
		}
	}
	return w, nil
}

func await(b brief) (waiting, error) {
	if _, ok := kinds()[b.promise.Kind]; !ok {
		return waiting{}, fmt.Errorf("no claim of kind %q", b.promise.Kind)
	}
	whole := waiting{n: max(1, b.promise.N)}
	if !kinds()[b.promise.Kind].tells {
		return whole, nil
	}
	opened, err := kinds()[b.promise.Kind].open(b)
	if err != nil {
		return waiting{}, err
	}
	if s, late := opened.(*share); late && s.probe.late() {
		return whole, nil
	}
	early, ok := opened.(settler)
	if !ok {
		return whole, nil
	}
	return waiting{early: early}, nil
}

// Observe takes the next observation, in any order, and reports whether every
// promise is decided.
func (w *Watcher) Observe(o *record.Observation) (decided bool) {
	cell := w.seen.at(o.Seq, w.stage.Load.Hits)
	if cell == nil || *cell != 0 {
		return w.Decided() // not of this plan, or seen before: Judge will say so
	}
	*cell = 1
	for w.seen.of(w.prefix) != 0 {
		w.prefix++
	}
	for _, one := range w.waiting {
		if one.early != nil {
			one.early.observe(0, o)
		}
	}
	return w.Decided()
}

// Decided reports whether every promise is decided.
func (w *Watcher) Decided() bool {
	for _, one := range w.waiting {
		if !one.decided(w.prefix) {
			return false
		}
	}
	return true
}

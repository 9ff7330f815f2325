package claim

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// stretch is the time of a window, as offsets from the stage's base.
type stretch struct{ from, until time.Duration }

// ofName finds a window of the stage's spec; from and until are offsets from
// the stage's base.
func ofName(b brief, name string) (from, until time.Duration, err error) {
	for _, w := range b.run.Windows {
		if w.Name == name && w.Spec == b.stages[0].Spec {
			return w.Start.Sub(b.stages[0].Base), w.End.Sub(b.stages[0].Base), nil
		}
	}
	return 0, 0, fmt.Errorf("spec %q has no window %q", b.stages[0].Spec, name)
}

// stretchOf is the window of a name; without a name it is all of the stage.
func stretchOf(b brief, name string) (s stretch, err error) {
	if name == "" {
		return stretch{math.MinInt64, math.MaxInt64}, nil
	}
	s.from, s.until, err = ofName(b, name)
	return s, err
}

// has is true of a request that was to be sent in the window.
func (s stretch) has(o *record.Observation) bool {
	return o.Intended >= s.from && o.Intended < s.until
}

// begins is the window's start; that of all of the stage is never.
func (s stretch) begins() time.Duration {
	if s.from == math.MinInt64 {
		return never
	}
	return s.from
}

// planned is how many requests of a load fall into the window, sent or not: the
// n-th is due after n intervals, and none after the load's last.
func (s stretch) planned(load record.Load) int {
	if load.Rate <= 0 {
		return 0
	}
	due := func(at time.Duration) int {
		n := math.Ceil(max(0, at.Seconds())*load.Rate - 1)
		return int(max(0, min(n, float64(load.Hits))))
	}
	return due(s.until) - due(s.from)
}

// Presupposing is what a promise requires that says nothing without a window,
// whatever else was recorded: that of a fault, which is there only if the fault was
// confirmed and lasted.
func Presupposing(window string) string { return presupposing + window }

const presupposing = "window "

// presupposed says why nothing can be told of what the promise presupposes, or "".
func presupposed(b brief) string {
	for _, required := range b.promise.Requires {
		window, is := strings.CutPrefix(required, presupposing)
		if !is {
			continue
		}
		if _, _, err := ofName(b, window); err != nil {
			return "what the promise presupposes did not come about: " + err.Error()
		}
	}
	return ""
}

// stretch is the window of a share, which no property that is read after the
// load can have: its requests are known by number only.
func (s *share) stretch(b brief) (stretch, error) {
	if s.params.Window != "" && s.probe.late() {
		return stretch{}, fmt.Errorf("a share of what is read after the load knows no window")
	}
	return stretchOf(b, s.params.Window)
}

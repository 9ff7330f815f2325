package chaos

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Constraints bound a schedule.
type Constraints struct {
	Duration time.Duration // from the first fault to the end of the last pause
	Settle   time.Duration // least pause after a fault
	Jitter   time.Duration // and up to so much more
	// Apart keeps faults of one domain from following each other directly.
	Apart bool
}

// Strike is one fault of a schedule.
type Strike struct {
	Number int           `json:"number"` // from 1, stable when others are left out
	At     time.Duration `json:"atNs"`   // from the start of the schedule
	Spec   Spec          `json:"spec"`
}

// Schedule draws faults for as long as they fit: a pure function of the seed,
// the catalogue and the constraints. One fault at a time.
func Schedule(seed uint64, from []Spec, within Constraints) []Strike {
	random := rand.New(rand.NewPCG(seed, 0x6e656d65736973))
	var strikes []Strike
	at := time.Duration(0)
	last := ""
	for len(from) > 0 {
		spec := from[random.IntN(len(from))]
		pause := within.Settle
		if within.Jitter > 0 {
			pause += time.Duration(random.Int64N(int64(within.Jitter)))
		}
		if at+spec.Hold+pause > within.Duration {
			break
		}
		if within.Apart && spec.Domain == last && severalDomains(from) {
			continue
		}
		strikes = append(strikes, Strike{Number: len(strikes) + 1, At: at.Round(time.Millisecond), Spec: spec})
		at += spec.Hold + pause
		last = spec.Domain
	}
	return strikes
}

func severalDomains(specs []Spec) bool {
	return slices.ContainsFunc(specs, func(s Spec) bool { return s.Domain != specs[0].Domain })
}

// Numbered is a schedule as a reader wants it, before anything happens.
func Numbered(seed uint64, strikes []Strike) string {
	lines := make([]string, 0, len(strikes)+1)
	lines = append(lines, fmt.Sprintf("seed %d: %d faults", seed, len(strikes)))
	for _, s := range strikes {
		lines = append(lines, fmt.Sprintf("%3d  at %6.1f s  %s", s.Number, s.At.Seconds(), s.Spec))
	}
	return strings.Join(lines, "\n") + "\n"
}

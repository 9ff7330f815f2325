package outcome

import (
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// Tally counts verdicts by outcome.
type Tally struct {
	Total int
	by    map[record.Outcome]int
	worst record.Outcome
}

// Count tallies verdicts.
func Count(verdicts []record.Verdict) Tally {
	t := Tally{Total: len(verdicts), by: map[record.Outcome]int{}}
	for i, v := range verdicts {
		t.by[v.Verdict]++
		if i == 0 {
			t.worst = v.Verdict
		}
		t.worst = record.Worst(t.worst, v.Verdict)
	}
	return t
}

// Of is the number of verdicts with this outcome.
func (t Tally) Of(o record.Outcome) int { return t.by[o] }

// Worst is the worst outcome. A run without any verdict is inconclusive: no
// evidence is not good evidence.
func (t Tally) Worst() record.Outcome {
	if t.Total == 0 {
		return record.Inconclusive
	}
	return t.worst
}

// Sentence says in one sentence how the run went.
func (t Tally) Sentence() string {
	if t.Total == 0 {
		return "No promise was judged, so nothing is proven."
	}
	if t.Of(record.Held) == t.Total {
		return fmt.Sprintf("All %s held.", promises(t.Total))
	}
	parts := []string{fmt.Sprintf("%d of %s held", t.Of(record.Held), promises(t.Total))}
	for _, o := range all {
		if n := t.Of(o); n > 0 && o != record.Held {
			parts = append(parts, fmt.Sprintf("%d %s", n, phrase(o, n)))
		}
	}
	if n := t.strange(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d without a readable verdict", n))
	}
	return join(parts) + "."
}

func (t Tally) strange() int {
	n := t.Total
	for _, o := range all {
		n -= t.Of(o)
	}
	return n
}

func promises(n int) string {
	if n == 1 {
		return "1 promise"
	}
	return fmt.Sprintf("%d promises", n)
}

func phrase(o record.Outcome, n int) string {
	verb := "were"
	if n == 1 {
		verb = "was"
	}
	switch o {
	case record.Violated:
		return verb + " violated"
	case record.Inconclusive:
		return verb + " inconclusive"
	case record.ViolatedKnown:
		if n == 1 {
			return "deviates in a way that is known and listed"
		}
		return "deviate in ways that are known and listed"
	default:
		return "could not be shown in this environment"
	}
}

func join(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

// Package outcome says verdicts in words: their order, their signs, how many
// there are of each, and the one sentence on top of every report. It judges
// nothing.
package outcome

import (
	"slices"

	"github.com/wayproof/wayproof/internal/record"
)

// all is a constant in effect: an array that nothing assigns to.
var all = [...]record.Outcome{ //nolint:gochecknoglobals // a constant but for its type
	record.Violated, record.Inconclusive, record.ViolatedKnown, record.Unsupported, record.Held,
}

// All gives the outcomes from worst to best.
func All() []record.Outcome { return slices.Clone(all[:]) }

// Rank is 0 for the worst outcome; what is no outcome ranks with the worst.
func Rank(o record.Outcome) int { return max(0, slices.Index(all[:], o)) }

// Sign is a character that stands for an outcome beside its word, so that
// colour is never needed to tell outcomes apart.
func Sign(o record.Outcome) string {
	switch o {
	case record.Held:
		return "✓"
	case record.Unsupported:
		return "–"
	case record.ViolatedKnown:
		return "≈"
	case record.Inconclusive:
		return "?"
	default:
		return "✗"
	}
}

// Slug is the outcome as a word without spaces: a CSS class, a label value.
func Slug(o record.Outcome) string {
	switch o {
	case record.ViolatedKnown:
		return "known"
	case record.Held, record.Unsupported, record.Inconclusive, record.Violated:
		return string(o)
	default:
		return "none"
	}
}

// Judged gives one verdict for every promise of the plan, in the plan's order.
// A promise without a verdict is inconclusive: a run that died is not green.
// Verdicts that the plan does not know follow, in their own order.
func Judged(run *record.Run) []record.Verdict {
	left := map[string][]record.Verdict{}
	for _, v := range run.Verdicts {
		left[v.ID] = append(left[v.ID], v)
	}
	var out []record.Verdict
	for _, p := range run.Plan.Promises {
		if len(left[p.ID]) == 0 {
			out = append(out, unjudged(p))
			continue
		}
		out = append(out, left[p.ID]...)
		delete(left, p.ID)
	}
	return append(out, strangers(run.Verdicts, left)...)
}

func strangers(verdicts []record.Verdict, left map[string][]record.Verdict) []record.Verdict {
	var out []record.Verdict
	for _, v := range verdicts {
		if _, ok := left[v.ID]; ok {
			out = append(out, v)
		}
	}
	return out
}

func unjudged(p record.Promise) record.Verdict {
	const why = "the run ended before this promise was judged"
	return record.Verdict{
		ID: p.ID, Task: p.Task, Title: p.Title, Unit: p.Unit,
		Alpha: p.Alpha, Beta: p.Beta, Delta: p.Delta,
		Verdict: record.Inconclusive, Blame: record.Harness,
		Observed: "nothing", Detail: why, Reason: why,
	}
}

// Task is a task of the plan with its verdicts.
type Task struct {
	Name     string
	Verdicts []record.Verdict
}

// ByTask groups verdicts by task, in the order in which tasks first appear.
func ByTask(verdicts []record.Verdict) []Task {
	var tasks []Task
	at := map[string]int{}
	for _, v := range verdicts {
		i, ok := at[v.Task]
		if !ok {
			i = len(tasks)
			at[v.Task] = i
			tasks = append(tasks, Task{Name: v.Task})
		}
		tasks[i].Verdicts = append(tasks[i].Verdicts, v)
	}
	return tasks
}

// NeedsReader is true of a verdict that someone has to look at.
func NeedsReader(v record.Verdict) bool { return Rank(v.Verdict) <= Rank(record.Inconclusive) }

// StandIn is true of a verdict about ztunnel that was reached on the stand-in.
func StandIn(run *record.Run, v record.Verdict) bool {
	return v.StandIn || about(run, v.ID) && run.Environment.HasStandIn()
}

func about(run *record.Run, id string) bool {
	return slices.ContainsFunc(run.Plan.Promises, func(p record.Promise) bool {
		return p.ID == id && p.AboutNodeProxy
	})
}

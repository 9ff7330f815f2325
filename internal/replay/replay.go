// Package replay judges a recorded run again and says where the record's own
// verdicts differ. It reads the record only: the same record gives the same
// answer anywhere, without a cluster.
//
// A difference has one of two causes: the record was changed after the run, or
// this build judges otherwise than the one that recorded it. Replay cannot
// tell them apart; it says that they differ.
package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Difference is one field of one verdict that is not as recorded.
type Difference struct {
	Promise    string
	Field      string // verdict | n | observed | … | presence | plan
	Recorded   string
	Recomputed string
}

// Result is what a replay found.
type Result struct {
	// Verdicts are one for each promise of the plan, in the plan's order, and
	// then those that were recorded of no promise of the plan.
	Verdicts []record.Verdict
	// Compared is how many of them were also recorded.
	Compared int
	// Differences are in the order of Verdicts.
	Differences []Difference
	// Notes say in sentences what could not be said, and why.
	Notes []string
	Worst record.Outcome
	found []string // the promises that Compared counts
}

// Run judges every promise of the plan again and compares with what was
// recorded. A record of a later schema is refused with *record.SchemaError;
// one that is cut or lacks stages is judged as far as it goes.
func Run(ctx context.Context, source record.Source, recorded []record.Verdict) (Result, error) {
	run := source.Run()
	verdicts, walk := claim.Judge(ctx, source, run.Plan.Promises)
	var incomplete *record.Incomplete
	if walk != nil && !errors.As(walk, &incomplete) {
		return Result{}, fmt.Errorf("replay run %s: %w", run.ID, walk)
	}
	result := Result{Verdicts: verdicts, Worst: record.Held, Notes: notes(run, incomplete)}
	result.compare(recorded)
	for _, v := range result.Verdicts {
		result.Worst = record.Worst(result.Worst, v.Verdict)
	}
	if len(result.Verdicts) == 0 {
		result.Worst = record.Inconclusive
		result.Notes = append(result.Notes, "the plan holds no promise: there is nothing to judge")
	}
	return result, nil
}

// Agrees is true if every recorded verdict was found again.
func (r Result) Agrees() bool { return len(r.Differences) == 0 }

// Of is what the replay found about one promise. Notes are of the whole record
// and stay. An id that has no verdict is an error.
func (r Result) Of(promise string) (Result, error) {
	other := func(v record.Verdict) bool { return v.ID != promise }
	one := Result{Notes: r.Notes, Verdicts: slices.DeleteFunc(slices.Clone(r.Verdicts), other)}
	if len(one.Verdicts) == 0 {
		return one, fmt.Errorf("the record has no promise %q", promise)
	}
	one.Worst = one.Verdicts[0].Verdict
	if slices.Contains(r.found, promise) {
		one.Compared, one.found = 1, []string{promise}
	}
	one.Differences = slices.DeleteFunc(slices.Clone(r.Differences), func(d Difference) bool { return d.Promise != promise && d.Promise != wholePlan })
	return one, nil
}

// notes collects what a reader must know before believing the verdicts.
func notes(run *record.Run, incomplete *record.Incomplete) []string {
	var lines []string
	if incomplete != nil {
		lines = append(lines, incomplete.Error())
	}
	if run.Schema < record.Schema {
		lines = append(lines, fmt.Sprintf("the record has schema %d, this build writes %d", run.Schema, record.Schema))
	}
	var missing []string
	for _, promise := range run.Plan.Promises {
		for _, name := range promise.Stages {
			if _, _, found := run.StageNamed(name); !found && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) > 0 {
		lines = append(lines, fmt.Sprintf("%s planned and not in the record: what reads them is inconclusive", named(missing, "stage")))
	}
	return lines
}

// named counts names and gives the first few of them.
func named(names []string, what string) string {
	const most = 3
	text := fmt.Sprintf("%d %ss (%s", len(names), what, strings.Join(names[:min(most, len(names))], ", "))
	if len(names) > most {
		text += ", …"
	}
	return text + ")"
}

// compare holds the recomputed verdicts against the recorded ones and takes
// over what cannot be recomputed.
func (r *Result) compare(recorded []record.Verdict) {
	byID := map[string]record.Verdict{}
	for _, v := range recorded {
		if _, twice := byID[v.ID]; twice {
			r.differ(v.ID, "presence", "two verdicts", "one verdict")
			continue
		}
		byID[v.ID] = v
	}
	var unrecorded []string
	for i := range r.Verdicts {
		was, found := byID[r.Verdicts[i].ID]
		if !found {
			unrecorded = append(unrecorded, r.Verdicts[i].ID)
			continue
		}
		r.Compared, r.found = r.Compared+1, append(r.found, was.ID)
		r.keepKnown(&r.Verdicts[i], was)
		r.hold(was, r.Verdicts[i])
		delete(byID, was.ID)
	}
	if len(unrecorded) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("no verdict was recorded of %s: there is nothing to compare with", named(unrecorded, "promise")))
	}
	r.takeOver(recorded, byID)
}

// keepKnown takes over the mark of a listed deviation, and says so: the list
// lies outside of the record. The deviation itself must be the very same.
func (r *Result) keepKnown(v *record.Verdict, was record.Verdict) {
	if was.Verdict == record.ViolatedKnown && v.Verdict == record.Violated && v.Signature == was.Signature && was.Known != "" {
		v.Verdict, v.Known, v.Reason = record.ViolatedKnown, was.Known, was.Reason
		r.Notes = append(r.Notes, fmt.Sprintf("%s is violated; that this is known (%s) is taken from the record", v.ID, was.Known))
	}
}

// hold compares all of two verdicts but the paths of evidence, which is gathered
// beside the record. What keepKnown took over is as recorded by then. A later
// build may have more figures; every one that was recorded must be found again.
func (r *Result) hold(was, is record.Verdict) {
	is.Figures = slices.DeleteFunc(slices.Clone(is.Figures), func(f record.Figure) bool {
		return !slices.ContainsFunc(was.Figures, func(old record.Figure) bool { return old.Name == f.Name })
	})
	before, after := fieldsOf(was), fieldsOf(is)
	for i := range before {
		if before[i].text != after[i].text {
			r.differ(is.ID, before[i].name, before[i].text, after[i].text)
		}
	}
}

type field struct{ name, text string }

// fieldsOf are what is compared of a verdict, the most telling first.
func fieldsOf(v record.Verdict) []field {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	figures := make([]string, len(v.Figures))
	for i, f := range v.Figures {
		figures[i] = fmt.Sprintf("%q = %q", f.Name, f.Value)
	}
	return []field{
		{"verdict", string(v.Verdict)},
		{"n", strconv.Itoa(v.N)},
		{"observed", v.Observed},
		{"blame", string(v.Blame)},
		{"detail", v.Detail},
		{"reason", v.Reason},
		{"known", v.Known},
		{"declared", v.Declared},
		{"allowed", v.Allowed},
		{"p", v.P},
		{"alpha", number(v.Alpha)},
		{"beta", number(v.Beta)},
		{"delta", strconv.Itoa(v.Delta)},
		{"firstOdd", v.FirstOdd},
		{"signature", v.Signature},
		{"figures", strings.Join(figures, ", ")},
		{"task", v.Task},
		{"title", v.Title},
		{"unit", v.Unit},
		{"config", fmt.Sprintf("%q", v.Config)},
		{"standIn", strconv.FormatBool(v.StandIn)},
	}
}

func (r *Result) differ(id, field, was, is string) {
	r.Differences = append(r.Differences, Difference{Promise: id, Field: field, Recorded: was, Recomputed: is})
}

// takeOver adds verdicts of no promise of the plan as they were recorded (a
// listed deviation that has expired is such a one): leaving them out would
// make the run look better.
func (r *Result) takeOver(recorded []record.Verdict, left map[string]record.Verdict) {
	for _, v := range recorded {
		if _, still := left[v.ID]; !still {
			continue
		}
		delete(left, v.ID)
		r.Verdicts = append(r.Verdicts, v)
		r.Notes = append(r.Notes, fmt.Sprintf("%s is no promise of the plan: its verdict stands as recorded, it cannot be recomputed", v.ID))
	}
}

package claim

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// mostReasons is how many different deviations of one row are told.
const mostReasons = 3

// mostTargets fits the target of a request into one byte.
const mostTargets = 254

// mostArrivals is where the count of one request's arrivals saturates.
const mostArrivals = 127

// flagBadArrival marks, beside the count, a request one of whose arrivals was
// not as wanted.
const flagBadArrival uint8 = 1 << 7

// every accumulates EveryParams and TableParams: conditions by target, and what
// deviated.
type every struct {
	deaf
	promise  record.Promise
	stage    *record.Stage
	rows     []*row
	byTarget []*row // nil where the target is not read
	target   marks  // target plus one by Seq, for rows with a backend
	arrived  marks
	failed   marks  // 1 for a request that was odd, in whatever respects
	mesh     bool   // something was odd that had reached the mesh
	named    marks  // 1 for a request whose answer names a pod that the row counts at
	unheard  oddest // the first of these that no ledger has
	unheards int
	bad      map[int]string // what was wrong with an arrival, by Seq; kept for few
	perRow   int
	answered bool // only answers are read
	odd      oddest
}

// row is one target's conditions and what came of them.
type row struct {
	name    string
	check   *checker
	seen    int
	failed  int
	reasons []string
	odd     oddest
}

func openEvery(b brief) (accumulator, error) {
	params, err := paramsOf[EveryParams](b.promise)
	if err != nil {
		return nil, err
	}
	targets, err := chooseTargets(b.stages[0], params.Targets)
	if err != nil {
		return nil, err
	}
	e, err := newEvery(b)
	if err != nil {
		return nil, err
	}
	e.answered = params.Answered
	all := &row{name: "all", check: newChecker(params.Want)}
	e.rows = []*row{all}
	for i := range e.byTarget {
		if targets.has(i) {
			e.byTarget[i] = all
		}
	}
	return e, nil
}

func newEvery(b brief) (*every, error) {
	if n := len(b.stages[0].Load.Targets); n > mostTargets {
		return nil, fmt.Errorf("stage %s has %d targets, at most %d can be told apart", b.stages[0].Name, n, mostTargets)
	}
	return &every{
		promise: b.promise, stage: b.stages[0], perRow: 1,
		byTarget: make([]*row, max(1, len(b.stages[0].Load.Targets))), bad: map[int]string{},
	}, nil
}

func openTable(b brief) (accumulator, error) {
	params, err := paramsOf[TableParams](b.promise)
	if err != nil {
		return nil, err
	}
	e, err := newEvery(b)
	if err != nil {
		return nil, err
	}
	e.perRow = cmp.Or(params.PerRow, 1)
	rows := map[string]*row{}
	for _, r := range params.Rows {
		if rows[r.Target] != nil {
			return nil, fmt.Errorf("two rows for target %q", r.Target)
		}
		rows[r.Target] = &row{name: r.Target, check: newChecker(r.Want)}
		e.rows = append(e.rows, rows[r.Target])
	}
	for i, t := range e.stage.Load.Targets {
		if rows[t.Name] == nil {
			return nil, fmt.Errorf("target %q of stage %s has no row", t.Name, e.stage.Name)
		}
		e.byTarget[i] = rows[t.Name]
	}
	return e, nil
}

func (e *every) rowOf(target int) *row {
	if target < 0 || target >= len(e.byTarget) {
		return nil
	}
	return e.byTarget[target]
}

func (e *every) observe(_ int, o *record.Observation) {
	r := e.rowOf(o.Target)
	if r == nil || e.answered && (o.Class != record.ClassOK || o.Status >= 500) {
		return
	}
	r.seen++
	if backend := r.check.want.Backend; backend != nil {
		*e.target.at(o.Seq, e.stage.Load.Hits) = uint8(o.Target + 1)
		if o.Pod != "" && backend.Of.matches(o.Service, "") {
			*e.named.at(o.Seq, e.stage.Load.Hits) = 1
		}
	}
	if reason := cmp.Or(r.check.odd(o), r.check.oddPeer(e.stage, o)); reason != "" {
		e.mesh = e.mesh || reachedMesh(o)
		e.fail(r, o.Seq, reason, func() string { return trail(e.stage, o) })
	}
}

// reachedMesh is false of a request that waited in vain for a name or a
// connection.
func reachedMesh(o *record.Observation) bool {
	return o.Conn != 0 || o.Class != record.ClassTimeout && o.Class != record.ClassDNS
}

// fail notes a reason; a request that gives several is odd once.
func (e *every) fail(r *row, seq int, reason string, describe func() string) {
	if cell := e.failed.at(seq, e.stage.Load.Hits); cell != nil && *cell == 0 {
		*cell = 1
		r.failed++
	}
	if !slices.Contains(r.reasons, reason) && len(r.reasons) < mostReasons {
		r.reasons = append(r.reasons, reason)
	}
	r.odd.add(seq, describe)
	e.odd.add(seq, describe)
}

// targetOf is the target of a request: as observed, or, for an arrival that
// comes before its observation, by its number: targets take turns.
func (e *every) targetOf(seq int) int {
	if known := e.target.of(seq); known != 0 {
		return int(known) - 1
	}
	return seq % len(e.byTarget)
}

// arrive counts arrivals per request.
func (e *every) arrive(_ int, a *record.Arrival) {
	if a.Source != "" || a.Seq < 0 || a.Seq >= e.stage.Load.Hits {
		return
	}
	r := e.rowOf(e.targetOf(a.Seq))
	if r == nil || r.check.want.Backend == nil || !r.check.want.Backend.Of.matches(a.Service, "") {
		return
	}
	cell := e.arrived.at(a.Seq, e.stage.Load.Hits)
	if *cell&mostArrivals < mostArrivals {
		*cell++
	}
	if reason := r.check.want.Backend.oddArrival(a); reason != "" {
		*cell |= flagBadArrival
		if len(e.bad) < mostGroups {
			e.bad[a.Seq] = reason
		}
	}
}

// settleBackends holds the counted arrivals against the conditions.
func (e *every) settleBackends() {
	for seq, target := range e.target {
		if target == 0 {
			continue
		}
		r, cell := e.rowOf(int(target)-1), e.arrived.of(seq)
		got, want := int(cell&mostArrivals), r.check.want.Backend.arrivals()
		describe := func() string { return bare(e.stage, seq) }
		switch {
		case cell&flagBadArrival != 0:
			e.mesh = true
			e.fail(r, seq, cmp.Or(e.bad[seq], "arrived otherwise than wanted"), describe)
		case got == 0 && want > 0 && e.named.of(seq) != 0:
			e.unheards++
			e.unheard.add(seq, describe)
		case got != want:
			e.mesh = e.mesh || e.failed.of(seq) == 0
			e.fail(r, seq, fmt.Sprintf("arrived %d times, want %d", got, want), describe)
		}
	}
}

// settled reports that every row was seen often enough, and all of them together.
func (e *every) settled() bool {
	total := 0
	for _, r := range e.rows {
		if r.seen < e.perRow {
			return false
		}
		total += r.seen
	}
	return total >= max(1, e.promise.N)
}

// refuted reports that something was odd that no starved machine explains.
func (e *every) refuted() bool { return e.mesh }

func (e *every) verdict(v *record.Verdict) {
	e.settleBackends()
	var wrong []string
	failed := 0
	for _, r := range e.rows {
		v.N += r.seen
		if r.failed > 0 {
			failed += r.failed
			wrong = append(wrong, r.tell())
			figure(v, "row "+r.name, fmt.Sprintf("%d of %d odd, first %s", r.failed, r.seen, r.odd.text))
		} else {
			figure(v, "row "+r.name, fmt.Sprintf("%d as wanted", r.seen))
		}
	}
	v.Declared, v.Allowed = "each request as wanted", "no exception"
	v.Observed = fmt.Sprintf("%d of %d requests odd", failed, v.N)
	if len(e.rows) > 1 {
		v.Declared = fmt.Sprintf("each of %d rows as wanted", len(e.rows))
		v.Observed = fmt.Sprintf("%d of %d rows differ, %d of %d requests odd", len(wrong), len(e.rows), failed, v.N)
	}
	if failed > 0 {
		v.FirstOdd, v.Signature = e.odd.text, strings.Join(wrong, "; ")
		if excuse := starved(e.stage); excuse != "" && !e.mesh {
			inconclusive(v, record.Nature, v.Signature+": none of them got as far as the mesh, and "+excuse)
			return
		}
		violated(v, "%s", v.Signature)
		return
	}
	if e.unheards > 0 {
		v.FirstOdd = e.unheard.text
		inconclusive(v, record.Harness, fmt.Sprintf("%d requests are in no ledger of the pods that answered them, first %s", e.unheards, v.FirstOdd))
		return
	}
	e.accept(v)
}

// accept needs every row to have been tried, often enough.
func (e *every) accept(v *record.Verdict) {
	for _, r := range e.rows {
		if r.seen < e.perRow {
			inconclusive(v, record.Harness, fmt.Sprintf("row %s has %d of at least %d requests", r.name, r.seen, e.perRow))
			return
		}
	}
	if !tooFew(v, e.promise) {
		held(v, "no exception in %d requests", v.N)
	}
}

// tell describes a row's deviations, sorted: they read alike whichever came first.
func (r *row) tell() string {
	reasons := slices.Sorted(slices.Values(r.reasons))
	text := strings.Join(reasons, " or ")
	if r.name == "all" {
		return text
	}
	return r.name + ": " + text
}

// sorted walks a map in the order of its keys.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

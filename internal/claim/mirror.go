package claim

import (
	"fmt"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// mirror accumulates MirrorParams.
type mirror struct {
	deaf
	promise record.Promise
	params  MirrorParams
	stage   *record.Stage
	targets choice
	cells   marks
	foreign int
	late    int
	size    int
	design  *stat.Sequential
}

func openMirror(b brief) (accumulator, error) {
	params, err := paramsOf[MirrorParams](b.promise)
	if err != nil {
		return nil, err
	}
	if params.Oracle == "" {
		params.Oracle = OracleLedger
	}
	if params.Oracle != OracleLedger && params.Oracle != OracleLog && params.Oracle != OracleBoth {
		return nil, fmt.Errorf("no oracle %q", params.Oracle)
	}
	if params.Mirror == (Selector{}) || params.Mirror == params.Primary {
		return nil, fmt.Errorf("primary and mirror are not told apart")
	}
	m := &mirror{promise: b.promise, params: params, stage: b.stages[0]}
	if m.targets, err = chooseTargets(m.stage, params.Targets); err != nil {
		return nil, err
	}
	goal := stat.Goal{Share: stat.PerMille(params.PerMille), Delta: b.promise.Delta, Alpha: b.promise.Alpha, Beta: b.promise.Beta}
	if goal.Share.Degenerate() {
		m.size, err = zeroFailures(b.promise)
		return m, err
	}
	m.design, err = stat.DesignSequential(goal)
	return m, err
}

func (m *mirror) cell(seq int) *uint8 { return m.cells.at(seq, m.stage.Load.Hits) }

func (m *mirror) observe(_ int, o *record.Observation) {
	if !m.targets.has(o.Target) {
		return
	}
	cell := m.cell(o.Seq)
	*cell |= flagSent
	if o.Class != record.ClassOK || !m.params.Primary.matches(o.Service, o.Version) {
		*cell |= flagAstray
	}
}

// arrive counts an arrival. The mirror is asked first: where both are one
// Service, it is the more special selector.
func (m *mirror) arrive(_ int, a *record.Arrival) {
	atMirror := m.params.Mirror.matches(a.Service, a.Version)
	if !atMirror && !m.params.Primary.matches(a.Service, a.Version) {
		return
	}
	cell := m.cell(a.Seq)
	if cell == nil {
		if atMirror {
			m.foreign++
		}
		return
	}
	switch {
	case a.Source != "" && atMirror:
		bump(cell, logShift)
	case a.Source != "":
	case atMirror:
		bump(cell, copyShift)
		m.noteLate(a)
	default:
		bump(cell, primaryShift)
	}
}

func (m *mirror) noteLate(a *record.Arrival) {
	if !m.stage.Ended.IsZero() && a.At.After(m.stage.Ended) {
		m.late++
	}
}

// account is the balance of a mirror.
type account struct {
	sent, mirrored, twice       int
	primaryLost, primaryTwice   int
	foreign, unclear, disagree  int
	lostFirst, twiceFirst       oddest
	primaryFirst, foreignFirst  oddest
	unclearFirst, disagreeFirst oddest
}

func (m *mirror) copies(cell uint8) int {
	if m.params.Oracle == OracleLog {
		return counted(cell, logShift)
	}
	return counted(cell, copyShift)
}

// balance goes through the requests once.
func (m *mirror) balance() account {
	a := account{foreign: m.foreign}
	for seq, cell := range m.cells {
		if cell&flagSent == 0 {
			if m.copies(cell) > 0 {
				a.foreign++
				a.foreignFirst.add(seq, m.name(seq))
			}
			continue
		}
		a.sent++
		m.balanceCopies(&a, seq, cell)
		if !m.params.NoPrimary {
			m.balancePrimary(&a, seq, cell)
		}
	}
	return a
}

func (m *mirror) name(seq int) func() string {
	return func() string { return bare(m.stage, seq) }
}

func (m *mirror) balanceCopies(a *account, seq int, cell uint8) {
	switch copies := m.copies(cell); {
	case copies == 0:
		a.lostFirst.add(seq, m.name(seq))
	case copies > 1:
		a.twice++
		a.twiceFirst.add(seq, m.name(seq))
		fallthrough
	default:
		a.mirrored++
	}
	if m.params.Oracle == OracleBoth && counted(cell, copyShift) != counted(cell, logShift) {
		a.disagree++
		a.disagreeFirst.add(seq, m.name(seq))
	}
}

// balancePrimary holds the primary's ledger against the client: an answer of the
// primary that none of its pods remembers is a fault of the ledger; a request
// that failed, or that another answered, is the mesh's.
func (m *mirror) balancePrimary(a *account, seq int, cell uint8) {
	switch arrived := counted(cell, primaryShift); {
	case arrived == 0 && cell&flagAstray == 0:
		a.unclear++
		a.unclearFirst.add(seq, m.name(seq))
	case arrived == 0:
		a.primaryLost++
		a.primaryFirst.add(seq, m.name(seq))
	case arrived > 1:
		a.primaryTwice++
		a.primaryFirst.add(seq, m.name(seq))
	}
}

func (m *mirror) verdict(v *record.Verdict) {
	a := m.balance()
	lost := a.sent - a.mirrored
	v.N = a.sent
	v.Declared = fmt.Sprintf("%s of requests mirrored, each once", stat.PerMille(m.params.PerMille))
	v.Observed = fmt.Sprintf("mirrored %s, duplicated %d, foreign %d", ratio(a.mirrored, a.sent), a.twice, a.foreign)
	for _, f := range []struct {
		name  string
		value int
	}{
		{"primary", a.sent - a.primaryLost},
		{"mirrored", a.mirrored},
		{"not mirrored", lost},
		{"duplicated", a.twice},
		{"foreign", a.foreign},
		{"primary lost", a.primaryLost},
		{"primary duplicated", a.primaryTwice},
		{"late", m.late},
	} {
		figure(v, f.name, f.value)
	}
	if a.disagree > 0 {
		v.FirstOdd = a.disagreeFirst.text
		inconclusive(v, record.Harness, fmt.Sprintf("ledger and log count different copies of %d requests, first %s", a.disagree, v.FirstOdd))
		return
	}
	if a.unclear > 0 {
		v.FirstOdd = a.unclearFirst.text
		inconclusive(v, record.Harness, fmt.Sprintf("%d answered requests are in no ledger of the primary, first %s", a.unclear, v.FirstOdd))
		return
	}
	if !m.wrong(v, a) {
		m.judgeShare(v, a)
	}
}

// wrong reports what no share can excuse.
func (m *mirror) wrong(v *record.Verdict, a account) bool {
	var parts []string
	for _, fault := range []struct {
		count int
		name  string
		first oddest
	}{
		{a.twice, "duplicated", a.twiceFirst},
		{a.foreign, "copies of requests that were never sent", a.foreignFirst},
		{a.primaryLost, "lost at the primary", a.primaryFirst},
		{a.primaryTwice, "duplicated at the primary", a.primaryFirst},
	} {
		if fault.count == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d %s", fault.count, fault.name))
		v.Signature = strings.TrimPrefix(v.Signature+", "+fault.name, ", ")
		if v.FirstOdd == "" {
			v.FirstOdd = fault.first.text
		}
	}
	if len(parts) > 0 {
		violated(v, "%s", strings.Join(parts, ", "))
	}
	return len(parts) > 0
}

func (m *mirror) judgeShare(v *record.Verdict, a account) {
	lost := a.sent - a.mirrored
	switch {
	case m.design != nil:
		m.judgePart(v)
	case m.params.PerMille == 0 && a.mirrored > 0:
		v.Signature = "mirrored though nothing was to be"
		violated(v, "%d of %d requests were mirrored, none was to be", a.mirrored, a.sent)
	case m.params.PerMille > 0 && lost > 0:
		m.judgeLoss(v, a, lost)
	case v.N < max(m.size, m.promise.N):
		inconclusive(v, record.Harness, fmt.Sprintf("%d of at least %d requests were seen", v.N, max(m.size, m.promise.N)))
	default:
		v.Allowed = "0 exceptions"
		held(v, "each of %d requests is accounted for", v.N)
	}
}

// judgeLoss believes a loss only if the ledgers were read late enough.
func (m *mirror) judgeLoss(v *record.Verdict, a account, lost int) {
	v.FirstOdd, v.Allowed = a.lostFirst.text, "0 lost"
	quiet := m.stage.Collected.Sub(m.stage.Ended)
	if need := time.Duration(m.params.QuietMs) * time.Millisecond; quiet < need {
		inconclusive(v, record.Harness, fmt.Sprintf("%d copies are missing, but the ledgers were read %v after the load, %v are needed", lost, quiet, need))
		return
	}
	v.Signature = "requests were not mirrored"
	violated(v, "%d of %d requests were not mirrored", lost, a.sent)
}

// judgePart tests a share between none and all, in intended order.
func (m *mirror) judgePart(v *record.Verdict) {
	trial := m.design.Begin()
	for seq, cell := range m.cells {
		if cell&flagSent != 0 && trial.Add(m.copies(m.cells.of(seq)) > 0) != stat.Open {
			break
		}
	}
	lo, hi := m.design.Band(trial.N)
	v.N = trial.N
	v.Observed = fmt.Sprintf("mirrored %s, duplicated 0, foreign 0", ratio(trial.Hits, trial.N))
	v.Allowed = fmt.Sprintf("%d..%d of %d at alpha %s", lo, hi, trial.N, probability(m.promise.Alpha))
	switch trial.Decision {
	case stat.Open:
		inconclusive(v, record.Harness, fmt.Sprintf("the requests ended after %d of at most %d, undecided", trial.N, m.design.N))
	case stat.Held:
		held(v, "the mirrored share is as declared, within %g points", float64(m.promise.Delta)/10)
	default:
		v.P, v.Signature = "≤ "+probability(trial.P())+", valid at any look", fmt.Sprintf("mirrored share is too %s", trial.Decision)
		violated(v, "%s: the line was crossed at request %d of at most %d", v.Signature, trial.N, m.design.N)
	}
}

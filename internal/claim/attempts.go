package claim

import (
	"fmt"

	"github.com/wayproof/wayproof/internal/record"
)

// attempts accumulates AttemptsParams.
type attempts struct {
	deaf
	promise record.Promise
	params  AttemptsParams
	stage   *record.Stage
	targets choice
	checker *checker
	arrived marks
	asked   marks // how each request was asked
	seen    int
	odd     oddest
	why     string
	wrong   int
	byCount map[int]int
}

// What is kept of a request, in flags.
const (
	askedOnly  uint8 = 1
	askedNamed uint8 = 1 << 1 // and answered by the backend itself
	askedOdd   uint8 = 1 << 2 // counted among the odd
)

func openAttempts(b brief) (accumulator, error) {
	params, err := paramsOf[AttemptsParams](b.promise)
	if err != nil {
		return nil, err
	}
	if params.Exactly < 0 || params.Exactly >= mostArrivals {
		return nil, fmt.Errorf("%d attempts cannot be counted", params.Exactly)
	}
	targets, err := chooseTargets(b.stages[0], params.Targets)
	return &attempts{
		promise: b.promise, params: params, stage: b.stages[0], targets: targets, byCount: map[int]int{},
		checker: newChecker(Conditions{Status: params.Status, Class: params.Class}),
	}, err
}

func (a *attempts) observe(_ int, o *record.Observation) {
	if !a.targets.has(o.Target) {
		return
	}
	a.seen++
	cell := a.asked.at(o.Seq, a.stage.Load.Hits)
	if *cell = askedOnly; o.Pod != "" && a.params.Backend.matches(o.Service, o.Version) {
		*cell |= askedNamed
	}
	if reason := a.checker.odd(o); reason != "" {
		a.fail(o.Seq, reason, func() string { return trail(a.stage, o) })
	}
}

// fail counts a request once, whatever is odd about it.
func (a *attempts) fail(seq int, reason string, describe func() string) {
	if cell := a.asked.at(seq, a.stage.Load.Hits); *cell&askedOdd == 0 {
		a.wrong++
		*cell |= askedOdd
	}
	if a.odd.text == "" || seq < a.odd.seq {
		a.why = reason
	}
	a.odd.add(seq, describe)
}

func (a *attempts) arrive(_ int, arrival *record.Arrival) {
	if arrival.Source != "" || !a.params.Backend.matches(arrival.Service, arrival.Version) {
		return
	}
	if cell := a.arrived.at(arrival.Seq, a.stage.Load.Hits); cell != nil && *cell < mostArrivals {
		*cell++
	}
}

// settleCounts holds the arrivals of each request against the promise; unheard
// is a request whose answer names a pod that does not remember it.
func (a *attempts) settleCounts() (unheard oddest) {
	for seq, asked := range a.asked {
		if asked == 0 {
			continue
		}
		got := int(a.arrived.of(seq))
		a.byCount[got]++
		if got == 0 && asked&askedNamed != 0 {
			unheard.add(seq, func() string { return bare(a.stage, seq) })
			continue
		}
		if got != a.params.Exactly {
			a.fail(seq, fmt.Sprintf("reached the backend %d times, want %d", got, a.params.Exactly),
				func() string { return bare(a.stage, seq) })
		}
	}
	return unheard
}

// settled reports that enough of the chosen requests were seen.
func (a *attempts) settled() bool { return a.seen >= max(1, a.promise.N) }

// refuted reports that an answer was odd.
func (a *attempts) refuted() bool { return a.wrong > 0 }

func (a *attempts) verdict(v *record.Verdict) {
	unheard := a.settleCounts()
	v.N = a.seen
	v.Declared = fmt.Sprintf("each request reaches the backend %d times", a.params.Exactly)
	if a.params.Status != 0 {
		v.Declared += fmt.Sprintf(" and ends with status %d", a.params.Status)
	}
	v.Allowed = "no exception"
	v.Observed = fmt.Sprintf("%s with %d attempts", ratio(a.byCount[a.params.Exactly], a.seen), a.params.Exactly)
	for got := range mostArrivals + 1 {
		if a.byCount[got] > 0 {
			figure(v, fmt.Sprintf("requests with %d attempts", got), a.byCount[got])
		}
	}
	switch {
	case unheard.text != "":
		v.FirstOdd = unheard.text
		inconclusive(v, record.Harness, "a request was answered by a pod whose ledger does not have it, first "+unheard.text)
	case a.wrong > 0:
		v.FirstOdd, v.Signature = a.odd.text, a.why
		violated(v, "%d of %d requests are odd; the first %s", a.wrong, a.seen, a.why)
	case !tooFew(v, a.promise):
		held(v, "%s, without exception in %d", v.Declared, v.N)
	}
}

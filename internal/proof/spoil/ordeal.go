package spoil

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// ordeals are defects of what a mesh does while a fault lasts.
func ordeals() []Mutant {
	of := func(name, title string, kinds []string, spoil func(*Recording)) Mutant {
		return Mutant{Name: name, Title: title, Recordings: []string{ordeal}, Kills: kinds, spoil: func(r *Recording, _ *rand.Rand) { spoil(r) }}
	}
	within := func(from, till time.Duration) func(*record.Observation) bool {
		return func(o *record.Observation) bool { return o.Intended >= from && o.Intended < till }
	}
	whole := within(ordealFrom, ordealTill)
	return []Mutant{
		of("felt-late", "the fault is felt five seconds after it began: clean slices came before", kills(claim.KindRecovery), func(r *Recording) {
			r.every(within(7*time.Second, 8*time.Second), reset)
		}).with(claim.KindShare, claim.KindBound),
		of("costs-all", "every request fails while the fault lasts", kills(claim.KindRecovery, claim.KindBound, claim.KindShare), func(r *Recording) {
			r.every(whole, reset)
		}).with(claim.KindLatency),
		of("not-felt", "the fault changes nothing", kills(claim.KindShare), func(r *Recording) {
			r.every(whole, func(o *record.Observation) { o.Status, o.Class = 200, record.ClassOK })
		}),
		of("errors-of-another", "the errors are the waypoint's own", kills(claim.KindShare), func(r *Recording) {
			r.every(func(o *record.Observation) bool { return o.Status == 503 }, func(o *record.Observation) { o.Service, o.Version, o.Pod = "", "", "" })
		}),
		of("slow-meanwhile", "requests take 30 ms while the fault lasts, and only then", kills(claim.KindLatency), func(r *Recording) {
			r.every(whole, func(o *record.Observation) { o.Done += 30 * time.Millisecond })
		}),
		of("client-stalls", "three of four requests are skipped from the fault's first second on: what is sent is answered", nil, func(r *Recording) {
			r.skips(func(o *record.Observation) bool { return within(ordealFrom+time.Second, ordealTill)(o) && o.Seq%4 > 0 })
		}).silencing(claim.KindBound),
		of("fault-undone", "the fault was undone before its time, and so has no window", nil, func(r *Recording) { r.Head.Windows = nil }).
			silencing(claim.KindRecovery, claim.KindBound, claim.KindShare, claim.KindLatency),
	}
}

// skips has the generator leave out what a condition picks, by its plan.
func (r *Recording) skips(picks func(*record.Observation) bool) {
	before := len(r.Observations)
	r.Observations = slices.DeleteFunc(r.Observations, func(o record.Observation) bool { return picks(&o) })
	h := &r.Head.Stages[0].Health
	h.Skipped = before - len(r.Observations)
	h.Sent, h.Completed = h.Sent-h.Skipped, h.Completed-h.Skipped
}

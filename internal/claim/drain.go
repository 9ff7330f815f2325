package claim

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// drain is what became of requests that were under way when something was told
// to go: when the first of them was cut, and how long the longest was left alone.
type drain struct {
	least    time.Duration // how long they are to be left alone
	underWay int
	cuts     int
	first    time.Duration // of the first cut, since the beginning
	whole    time.Duration // of the last that ended whole
}

// see takes a request that ended so long after the beginning.
func (d *drain) see(after time.Duration, failed bool) {
	d.underWay++
	if !failed {
		d.whole = max(d.whole, after)
		return
	}
	if d.cuts == 0 || after < d.first {
		d.first = after
	}
	d.cuts++
}

// unseen is true where nothing was under way for as long as is promised.
func (d *drain) unseen() bool { return max(d.first, d.whole) < d.least }

// tell puts the boundary into words.
func (d *drain) tell(v *record.Verdict) {
	v.Declared = fmt.Sprintf("what is under way is left alone for %v", d.least)
	v.Observed = fmt.Sprintf("%d requests under way, %d cut", d.underWay, d.cuts)
	figure(v, "cut", d.cuts)
	figure(v, "whole after at most", d.whole.Round(time.Millisecond))
	if d.cuts > 0 {
		figure(v, "first cut after", d.first.Round(time.Millisecond))
		v.Observed += fmt.Sprintf(", the first after %v", d.first.Round(time.Millisecond))
	}
}

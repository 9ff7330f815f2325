package claim

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// calm hands on the requests around which the machine was calm, by Calm. What
// becomes of a control does not depend on what becomes of the requests beside it,
// so that what is left of these is a fair sample of them.
type calm struct {
	limit    time.Duration
	around   int
	measure  string
	controls choice
	order    order
	waiting  map[int]taken // requests by number, until enough controls beside them are known
	open     []candidate   // requests after which controls are still to come, in order
	quiet    int           // how many controls in a row were, up to now
	out      int           // requests left out
	take     func(taken)
}

// candidate is a request with quiet controls before it: it is fit once so many in
// a row were.
type candidate struct{ seq, fit int }

// What a request is to calm, as outcomes of its order.
const (
	aRequest uint8 = iota + 1
	aQuietControl
	aBusyControl
)

func newCalm(stage *record.Stage, params Calm, measure string, take func(taken)) (*calm, error) {
	if len(params.Controls) == 0 || params.WithinMs <= 0 {
		return nil, fmt.Errorf("calm needs controls and a limit above zero")
	}
	controls, err := chooseTargets(stage, params.Controls)
	if err != nil {
		return nil, err
	}
	c := &calm{
		limit: fromMilliseconds(params.WithinMs), around: max(1, params.Around), measure: measure, controls: controls,
		waiting: map[int]taken{}, take: take,
	}
	c.order.feed = c.next
	return c, nil
}

// observe takes a request of the stage; wanted says whether it is one to hand on.
// What was sent late is no witness, and is not handed on.
func (c *calm) observe(o *record.Observation, wanted bool) {
	took := takenBy(o, c.measure)
	late := tardy(o, c.measure)
	switch {
	case wanted && late:
		c.out++
		c.order.put(o.Seq, notMine)
	case wanted:
		c.waiting[o.Seq] = took
		c.order.put(o.Seq, aRequest)
	case !c.controls.has(o.Target):
		c.order.put(o.Seq, notMine)
	case took.whole && !late && took.took <= c.limit:
		c.order.put(o.Seq, aQuietControl)
	default:
		c.order.put(o.Seq, aBusyControl)
	}
}

// next takes the requests in intended order.
func (c *calm) next(seq int, what uint8) {
	switch what {
	case aRequest:
		if c.quiet < c.around {
			c.drop(seq)
			return
		}
		c.open = append(c.open, candidate{seq, c.quiet + c.around})
	case aQuietControl:
		c.quiet++
		c.settle()
	default:
		c.quiet = 0
		c.dropAll()
	}
}

// settle hands on the requests that have enough quiet controls after them too.
func (c *calm) settle() {
	fit := 0
	for ; fit < len(c.open) && c.open[fit].fit <= c.quiet; fit++ {
		seq := c.open[fit].seq
		c.take(c.waiting[seq])
		delete(c.waiting, seq)
	}
	c.open = c.open[fit:]
}

func (c *calm) drop(seq int) {
	c.out++
	delete(c.waiting, seq)
}

func (c *calm) dropAll() {
	for _, one := range c.open {
		c.drop(one.seq)
	}
	c.open = c.open[:0]
}

// close leaves out the requests that the last controls do not reach.
func (c *calm) close() {
	c.order.rest()
	c.dropAll()
}

package claim

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// calm hands on the requests around which the machine was calm, by Calm: those
// whose nearest controls, before and after in intended order, were both answered
// within the limit. What becomes of a control does not depend on what becomes of
// the requests beside it, so that what is left of these is a fair sample of them.
type calm struct {
	limit    time.Duration
	measure  string
	controls choice
	order    order
	waiting  map[int]taken // requests by number, until both their controls are known
	between  []int         // those since the last control, in order
	quiet    bool          // the last control was
	out      int           // requests left out
	take     func(taken)
}

// taken is how long a request took; of one that failed it took at least that.
type taken struct {
	took  time.Duration
	whole bool
}

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
	c := &calm{limit: fromMilliseconds(params.WithinMs), measure: measure, controls: controls, waiting: map[int]taken{}, take: take}
	c.order.feed = c.next
	return c, nil
}

// observe takes a request of the stage; wanted says whether it is one to hand on.
// What was sent late is no witness, and is not handed on.
func (c *calm) observe(o *record.Observation, wanted bool) {
	took := taken{elapsed(o, c.measure), o.Class == record.ClassOK}
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
	if what == aRequest {
		c.between = append(c.between, seq)
		return
	}
	quiet := what == aQuietControl
	c.settle(c.quiet && quiet)
	c.quiet = quiet
}

// settle decides on the requests since the last control.
func (c *calm) settle(fit bool) {
	for _, seq := range c.between {
		if fit {
			c.take(c.waiting[seq])
		} else {
			c.out++
		}
		delete(c.waiting, seq)
	}
	c.between = c.between[:0]
}

// close leaves out the requests after the last control.
func (c *calm) close() {
	c.order.rest()
	c.settle(false)
}

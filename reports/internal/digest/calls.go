package digest

import (
	"cmp"
	"slices"

	"github.com/wayproof/wayproof/internal/record"
)

// Load is the caller of every request, and NoAnswer the receiver of those that
// nobody answered.
const (
	Load     = "load"
	NoAnswer = "no pod answered"
	// Unnamed is a peer that is no waypoint: another service's pod, or the load's own.
	Unnamed = "other callers"
)

// Edge is a number of calls from one to another.
type Edge struct {
	From, To string
	Calls    int
	Failed   int  // as the load saw it
	Untold   int  // calls that the load did not make: whether they failed is not known
	Waypoint bool // From is a waypoint
}

// nodesKept bounds the nodes of each kind.
const nodesKept = 12

// calls counts calls between a bounded number of nodes. What a waypoint sent on
// is read from the ledgers; where there are none, from the answers.
type calls struct {
	waypoints, receivers *Counts
	toWaypoint           map[string]*Edge
	direct               map[string]*Edge
	answered, arrived    map[[2]string]*Edge
	names                map[[2]string]string // joined once, up to a bound
}

func newCalls() *calls {
	return &calls{
		waypoints: NewCounts(nodesKept), receivers: NewCounts(nodesKept),
		toWaypoint: map[string]*Edge{}, direct: map[string]*Edge{},
		answered: map[[2]string]*Edge{}, arrived: map[[2]string]*Edge{}, names: map[[2]string]string{},
	}
}

func (c *calls) request(o *record.Observation, waypoint string) {
	to := NoAnswer
	if o.Service != "" {
		to = c.receivers.Add(c.name(o.Service, o.Version))
	}
	if waypoint == "" {
		count(c.direct, to, Edge{From: Load, To: to}, o.Failed())
		return
	}
	waypoint = c.waypoints.Add(waypoint)
	count(c.toWaypoint, waypoint, Edge{From: Load, To: waypoint}, o.Failed())
	if o.Service != "" {
		count(c.answered, [2]string{waypoint, to}, Edge{From: waypoint, To: to, Waypoint: true}, o.Failed())
	}
}

func (c *calls) arrival(a *record.Arrival, waypoint string) {
	if a.Source == "log" {
		return // the same arrivals, by another oracle
	}
	from := Unnamed
	if waypoint != "" {
		from = c.waypoints.Add(waypoint)
	}
	to := c.receivers.Add(c.name(a.Service, a.Version))
	count(c.arrived, [2]string{from, to}, Edge{From: from, To: to, Waypoint: waypoint != ""}, false)
}

func (c *calls) name(service, version string) string {
	if version == "" {
		return service
	}
	key := [2]string{service, version}
	if known, ok := c.names[key]; ok {
		return known
	}
	joined := service + " " + version
	if len(c.names) < 1024 {
		c.names[key] = joined
	}
	return joined
}

func count[K comparable](edges map[K]*Edge, key K, fresh Edge, failed bool) {
	e := edges[key]
	if e == nil {
		e = new(Edge) // not &fresh: that would allocate on every call
		*e = fresh
		edges[key] = e
	}
	e.Calls++
	if failed {
		e.Failed++
	}
}

// edges joins what answers and ledgers say of the same calls.
func (c *calls) edges() []Edge {
	var out []Edge
	for _, e := range c.toWaypoint {
		out = append(out, *e)
	}
	for _, e := range c.direct {
		out = append(out, *e)
	}
	for key, e := range c.arrived {
		out = append(out, c.sentOn(key, *e))
	}
	for key, e := range c.answered {
		if c.arrived[key] == nil {
			out = append(out, *e)
		}
	}
	out = slices.DeleteFunc(out, func(e Edge) bool { return e.Calls <= 0 })
	slices.SortFunc(out, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}

// sentOn is an edge of the ledgers with the failures that answers know of. The
// load's direct calls stand in the ledgers too, as calls of an unnamed peer:
// only what is beyond them is somebody else's.
func (c *calls) sentOn(key [2]string, e Edge) Edge {
	if d := c.direct[e.To]; d != nil && e.From == Unnamed {
		e.Calls -= d.Calls
	}
	e.Untold = e.Calls
	if a := c.answered[key]; a != nil {
		e.Failed, e.Untold = a.Failed, max(0, e.Calls-a.Calls)
	}
	return e
}

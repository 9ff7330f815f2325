package claim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

const (
	defaultBlock = 200
	// approximation is how much smaller than its share of alpha a p-value of a
	// dispersion test must be: chi-squared is an approximation whose true error
	// far out is up to three times the nominal one
	// (docs/operating-characteristics.md); ten leaves room.
	approximation = 10
	// leastBlocks makes under-dispersion mean something: a few blocks are exactly
	// equal by chance far too often.
	leastBlocks = 16
	// mostGroups bounds the connections that are compared.
	mostGroups = 100_000
)

// Outcomes of a request for this claim.
const (
	theArm   uint8 = 1
	otherArm uint8 = 2
)

// independence accumulates IndependenceParams.
type independence struct {
	deaf
	promise record.Promise
	params  IndependenceParams
	stage   *record.Stage
	targets choice
	order   order
	conns   map[connection]*stat.Group
	clients map[int]*stat.Group
	peers   map[string]*stat.Group // by waypoint replica
	blocks  []stat.Group
	total   stat.Group
	runs    int
	last    uint8
}

func openIndependence(b brief) (accumulator, error) {
	params, err := paramsOf[IndependenceParams](b.promise)
	if err != nil {
		return nil, err
	}
	if len(params.Over) == 0 {
		params.Over = []string{OverRuns, OverConnections, OverBlocks}
	}
	for _, aspect := range params.Over {
		if !slices.Contains([]string{OverRuns, OverConnections, OverClients, OverReplicas, OverBlocks}, aspect) {
			return nil, fmt.Errorf("no aspect %q of independence", aspect)
		}
	}
	params.Block = cmp.Or(params.Block, defaultBlock)
	targets, err := chooseTargets(b.stages[0], params.Targets)
	i := &independence{
		promise: b.promise, params: params, stage: b.stages[0], targets: targets,
		conns: map[connection]*stat.Group{}, clients: map[int]*stat.Group{}, peers: map[string]*stat.Group{},
	}
	i.order.feed = i.next
	return i, err
}

func (i *independence) observe(_ int, o *record.Observation) {
	if !i.targets.has(o.Target) || o.Class != record.ClassOK {
		i.order.put(o.Seq, notMine)
		return
	}
	arm := otherArm
	if o.Version == i.params.Version {
		arm = theArm
	}
	count(groupOf(i.conns, connectionOf(o.Client, o.Conn)), arm)
	count(groupOf(i.clients, o.Client), arm)
	count(groupOf(i.peers, peerName(i.stage, o.Peer)), arm)
	i.order.put(o.Seq, arm)
}

// groupOf finds or begins a group; nil once there are too many.
func groupOf[K comparable](groups map[K]*stat.Group, key K) *stat.Group {
	g := groups[key]
	if g == nil && len(groups) < mostGroups {
		g = new(stat.Group)
		groups[key] = g
	}
	return g
}

func count(g *stat.Group, arm uint8) {
	if g == nil {
		return
	}
	g.Size++
	if arm == theArm {
		g.Hits++
	}
}

// next takes one request in intended order.
func (i *independence) next(_ int, arm uint8) {
	if i.total.Size%i.params.Block == 0 {
		i.blocks = append(i.blocks, stat.Group{})
	}
	count(&i.total, arm)
	count(&i.blocks[len(i.blocks)-1], arm)
	if arm != i.last {
		i.runs++
	}
	i.last = arm
}

// aspect is the result of one test.
type aspect struct {
	name string
	p    float64 // corrected for an approximation
	why  string  // what a small p means
	lack string  // why there is no p
}

func (i *independence) verdict(v *record.Verdict) {
	v.N = i.total.Size
	v.Declared = "each pick is independent of the previous one and of its connection"
	each := i.promise.Alpha / float64(len(i.params.Over))
	v.Allowed = fmt.Sprintf("p > %s in each of %d tests", probability(each), len(i.params.Over))
	v.Observed = fmt.Sprintf("%s %s in %d runs", i.params.Version, ratio(i.total.Hits, i.total.Size), i.runs)
	if tooFew(v, i.promise) {
		return
	}
	results := i.results()
	for _, a := range results {
		if a.lack == "" {
			figure(v, a.name+", p", probability(a.p))
		}
	}
	i.conclude(v, results, each)
}

func (i *independence) conclude(v *record.Verdict, results []aspect, each float64) {
	for _, a := range results {
		if a.lack == "" && a.p <= each {
			v.P, v.Signature = probability(a.p), a.name+": "+a.why
			violated(v, "picks are not independent: %s", a.why)
			return
		}
	}
	for _, a := range results {
		if a.lack != "" {
			inconclusive(v, record.Harness, a.name+": "+a.lack)
			return
		}
	}
	held(v, "no sign of stickiness, alternation or a counting picker")
}

func (i *independence) results() []aspect {
	var results []aspect
	for _, name := range i.params.Over {
		switch name {
		case OverRuns:
			results = append(results, i.byRuns())
		case OverBlocks:
			results = append(results, i.byBlocks())
		case OverConnections:
			results = append(results, over(name, slices.Collect(maps.Values(i.conns)), "connections stick to a version"))
		case OverClients:
			results = append(results, over(name, slices.Collect(maps.Values(i.clients)), "clients get different shares"))
		case OverReplicas:
			results = append(results, over(name, slices.Collect(maps.Values(i.peers)), "waypoint replicas split differently"))
		}
	}
	return results
}

// byRuns is exact and two-sided.
func (i *independence) byRuns() aspect {
	a := aspect{name: OverRuns}
	if i.total.Hits == 0 || i.total.Hits == i.total.Size {
		a.lack = "all requests went one way"
		return a
	}
	distribution := stat.Runs{Ones: i.total.Hits, Zeros: i.total.Size - i.total.Hits}
	few, many := distribution.AtMost(i.runs), distribution.AtLeast(i.runs)
	a.p, a.why = min(1, 2*few), "the pick sticks to the previous one"
	if many < few {
		a.p, a.why = min(1, 2*many), "picks alternate"
	}
	return a
}

// byBlocks looks at whole blocks only.
func (i *independence) byBlocks() aspect {
	whole := i.blocks
	if len(whole) > 0 && whole[len(whole)-1].Size < i.params.Block {
		whole = whole[:len(whole)-1]
	}
	a := aspect{name: OverBlocks, why: "the picker counts: every stretch has the same share"}
	d := stat.Disperse(whole)
	if !d.Ready || len(whole) < leastBlocks {
		a.lack = fmt.Sprintf("%d blocks of %d requests are too few to compare", len(whole), i.params.Block)
	}
	a.p = min(1, approximation*d.Under)
	return a
}

func over(name string, groups []*stat.Group, why string) aspect {
	a := aspect{name: name, why: why}
	d := stat.Disperse(stat.Pool(inOrder(groups)))
	if !d.Ready {
		a.lack = fmt.Sprintf("%d groups with too few requests each to compare", len(groups))
	}
	a.p = min(1, approximation*d.Over)
	return a
}

package claim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// ServingParams: at least so many waypoint replicas, by the peer addresses that
// the backends saw, carry requests. That a replica is ready does not say that
// anything goes by it; connections that stay with the old ones keep it idle.
type ServingParams struct {
	AtLeast int `json:"atLeast"` // replicas
	// Each is the least number of client connections by which a replica must have
	// been reached to count as serving, 8 if 0.
	Each int `json:"each,omitempty"`
}

// serving accumulates ServingParams.
type serving struct {
	deaf
	promise record.Promise
	params  ServingParams
	stage   *record.Stage
	conns   map[string]map[connection]struct{} // by replica
	seen    int
	unnamed map[string]int // requests by peers that are no replica
	odd     oddest
	failed  int
}

func openServing(b brief) (accumulator, error) {
	params, err := paramsOf[ServingParams](b.promise)
	if err != nil {
		return nil, err
	}
	if params.AtLeast < 1 || params.Each < 0 {
		return nil, fmt.Errorf("%d replicas with %d connections each", params.AtLeast, params.Each)
	}
	params.Each = cmp.Or(params.Each, leastPerReplica)
	return &serving{
		promise: b.promise, params: params, stage: b.stages[0],
		conns: map[string]map[connection]struct{}{}, unnamed: map[string]int{},
	}, nil
}

func (s *serving) observe(_ int, o *record.Observation) {
	s.seen++
	if o.Class != record.ClassOK || o.Peer == "" {
		s.failed++
		return
	}
	name, known := s.stage.Peers[peerHost(o.Peer)]
	if !known {
		s.unnamed[peerHost(o.Peer)]++
		s.odd.add(o.Seq, func() string { return trail(s.stage, o) })
		return
	}
	if s.conns[name] == nil {
		s.conns[name] = map[connection]struct{}{}
	}
	keep(s.conns[name], o)
}

func (s *serving) settled() bool { return s.seen >= max(1, s.promise.N) }

func (s *serving) verdict(v *record.Verdict) {
	v.N = s.seen
	v.Declared = fmt.Sprintf("at least %d waypoint replicas serve", s.params.AtLeast)
	v.Allowed = fmt.Sprintf("each reached by at least %d connections", s.params.Each)
	var busy []string
	for _, name := range slices.Sorted(maps.Keys(s.conns)) {
		figure(v, "connections through "+name, len(s.conns[name]))
		if len(s.conns[name]) >= s.params.Each {
			busy = append(busy, name)
		}
	}
	for host, n := range sorted(s.unnamed) {
		figure(v, "requests from "+host+", no replica", n)
	}
	figure(v, "requests without a peer", s.failed)
	v.Observed = fmt.Sprintf("%d replicas serve: %s", len(busy), strings.Join(busy, ", "))
	switch {
	case tooFew(v, s.promise):
	case len(busy) >= s.params.AtLeast:
		held(v, "%d replicas serve", len(busy))
	default:
		v.FirstOdd, v.Signature = s.odd.text, "replicas are idle"
		violated(v, "%d of at least %d replicas serve", len(busy), s.params.AtLeast)
	}
}

// leastShare is the smallest share of connections, per mille, at which a replica
// is to be seen serving: half of what one of five gets.
const leastShare = 100

// sizeServing is the smallest n for which a replica that gets that share is
// reached by too few of n connections with probability at most beta divided by
// the replicas: the binomial tail P(Bin(n, share) < Each).
func sizeServing(w *planning) error {
	params, err := paramsOf[ServingParams](*w.promise)
	if err != nil {
		return err
	}
	w.promise.Delta = cmp.Or(w.promise.Delta, leastShare)
	each, share := cmp.Or(params.Each, leastPerReplica), float64(w.promise.Delta)/1000
	for w.need = each; stat.AtMost(each-1, w.need, share) > w.promise.Beta/float64(max(1, params.AtLeast)); {
		w.need++
	}
	return nil
}

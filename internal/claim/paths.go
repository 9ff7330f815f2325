package claim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// Least numbers of connections that make requests independent enough of the
// connection they came by.
const (
	leastConnections = 32
	leastPerReplica  = 8
)

// mostKept bounds the connections that are told apart: above it there are
// enough by any measure.
const mostKept = 4096

// paths tells which connections and which waypoint replicas requests came by. A
// replica is the host that the answering pod saw as its peer.
type paths struct {
	stage    *record.Stage
	arms     int
	conns    map[connection]struct{}
	replicas map[string]*replica
}

type replica struct {
	hits  []int // per arm, from 1
	size  int
	conns map[connection]struct{}
	first []oddest // per arm, the first request that it sent there
}

func newPaths(s *record.Stage, arms int) *paths {
	return &paths{stage: s, arms: arms, conns: map[connection]struct{}{}, replicas: map[string]*replica{}}
}

func (p *paths) add(arm uint8, o *record.Observation) {
	name := peerName(p.stage, o.Peer)
	r := p.replicas[name]
	if r == nil {
		if len(p.replicas) >= mostKept {
			return
		}
		r = &replica{hits: make([]int, p.arms+1), conns: map[connection]struct{}{}, first: make([]oddest, p.arms+1)}
		p.replicas[name] = r
	}
	r.size++
	r.hits[arm]++
	r.first[arm].add(o.Seq, func() string { return trail(p.stage, o) })
	keep(p.conns, o)
	keep(r.conns, o)
}

func keep(set map[connection]struct{}, o *record.Observation) {
	if len(set) < mostKept {
		set[connectionOf(o.Client, o.Conn)] = struct{}{}
	}
}

// names lists the replicas in a stable order.
func (p *paths) names() []string { return slices.Sorted(maps.Keys(p.replicas)) }

// shortage says which connections are missing, or "".
func (p *paths) shortage(params SplitParams) string {
	if need := orDefault(params.MinConnections, leastConnections); len(p.conns) < need {
		return fmt.Sprintf("requests came by %d client connections, at least %d are needed", len(p.conns), need)
	}
	if len(p.replicas) < params.Replicas {
		return fmt.Sprintf("%d waypoint replicas were seen (%s), %d were expected", len(p.replicas), strings.Join(p.names(), ", "), params.Replicas)
	}
	for _, name := range p.names() {
		if need := orDefault(params.MinPerReplica, leastPerReplica); len(p.replicas[name].conns) < need {
			return fmt.Sprintf("requests came through %s by %d connections, at least %d are needed", name, len(p.replicas[name].conns), need)
		}
	}
	return ""
}

// orDefault reads a setting: 0 is the default and a negative one is none.
func orDefault(value, fallback int) int {
	if value == 0 {
		return fallback
	}
	return max(0, value)
}

// figures adds what each replica did, and how far they differ.
func (p *paths) figures(v *record.Verdict) {
	figure(v, "client connections", len(p.conns))
	var groups []stat.Group
	for _, name := range p.names() {
		r := p.replicas[name]
		groups = append(groups, stat.Group{Hits: r.hits[1], Size: r.size})
		figure(v, "via "+name, fmt.Sprintf("%s, %d connections", ratio(r.hits[1], r.size), len(r.conns)))
	}
	if len(groups) > 1 {
		figure(v, "replicas alike, p", probability(stat.Disperse(groups).Over))
	}
}

// oddest is the first request that went wrong: through the replica that is
// furthest off, to the arm if it got too much, past it if too little.
func (p *paths) oddest(arm uint8, tooMuch bool) string {
	worst, share := "", 0.0
	for _, name := range p.names() {
		at := float64(p.replicas[name].hits[arm]) / float64(max(1, p.replicas[name].size))
		if !tooMuch {
			at = 1 - at
		}
		if worst == "" || at > share {
			worst, share = name, at
		}
	}
	if worst == "" {
		return ""
	}
	var first oddest
	for i, candidate := range p.replicas[worst].first {
		if candidate.text != "" && (uint8(i) == arm) == tooMuch {
			first.add(candidate.seq, func() string { return candidate.text })
		}
	}
	return first.text
}

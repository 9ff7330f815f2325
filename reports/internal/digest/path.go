package digest

import (
	"maps"
	"slices"
)

// Blocks is the number of blocks of requests that a path is cut into.
const Blocks = 128

// armsKept bounds the versions that a path tells apart.
const armsKept = 8

// Path counts answers by version over the intended order of requests.
type Path struct {
	hits   int
	arms   *Counts
	blocks map[string]*[Blocks]int
}

func newPath(hits int) *Path {
	return &Path{hits: max(1, hits), arms: NewCounts(armsKept), blocks: map[string]*[Blocks]int{}}
}

func (p *Path) add(seq int, version string) {
	version = p.arms.Add(version)
	if p.blocks[version] == nil {
		p.blocks[version] = new([Blocks]int)
	}
	block := min(max(0, int(int64(seq)*Blocks/int64(p.hits))), Blocks-1)
	p.blocks[version][block]++
}

// Arms counts the answers by version.
func (p *Path) Arms() *Counts { return p.arms }

// Step is a point of a path: of the first N answers, X came from the arm.
type Step struct{ N, X int }

// Of is the path of one arm, from no answers to all of them.
func (p *Path) Of(version string) []Step {
	steps, last := []Step{{}}, Step{}
	for block := range Blocks {
		for arm, counts := range p.blocks {
			last.N += counts[block]
			if arm == version {
				last.X += counts[block]
			}
		}
		if last != steps[len(steps)-1] {
			steps = append(steps, last)
		}
	}
	return steps
}

// Each is the path of one arm block by block: of the N answers in a block of
// intended order, X came from the arm. Blocks without answers are left out.
func (p *Path) Each(version string) []Step {
	var blocks []Step
	all := p.Of(version)
	for i := 1; i < len(all); i++ {
		blocks = append(blocks, Step{all[i].N - all[i-1].N, all[i].X - all[i-1].X})
	}
	return blocks
}

// Through counts answers by waypoint replica and version: a replica that is
// stale hides in the totals.
type Through struct {
	replicas *Counts
	arms     map[string]*Counts
}

func newThrough() *Through {
	return &Through{replicas: NewCounts(nodesKept), arms: map[string]*Counts{}}
}

func (t *Through) add(replica, version string) {
	if replica == "" || version == "" {
		return
	}
	replica = t.replicas.Add(replica)
	if t.arms[replica] == nil {
		t.arms[replica] = NewCounts(armsKept)
	}
	t.arms[replica].Add(version)
}

// Replicas gives the names of replicas in alphabetical order.
func (t *Through) Replicas() []string { return slices.Sorted(maps.Keys(t.arms)) }

// Of counts the answers through one replica by version.
func (t *Through) Of(replica string) *Counts { return t.arms[replica] }

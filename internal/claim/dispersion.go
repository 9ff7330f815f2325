package claim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// conns counts hits by connection: the test of a share takes requests for
// independent draws, and those of one connection are the first not to be.
type conns map[connection]*stat.Group

func (c conns) add(on connection, hit bool) {
	arm := otherArm
	if hit {
		arm = theArm
	}
	count(groupOf(c, on), arm)
}

// alike is the probability that independent draws differ between connections as
// much as these do, corrected for the approximation; it is 1 where there are too
// few to tell.
func (c conns) alike() float64 {
	d := stat.Disperse(stat.Pool(inOrder(slices.Collect(maps.Values(c)))))
	if !d.Ready {
		return 1
	}
	return min(1, approximation*d.Over)
}

// inOrder copies groups into an order of their own: a sum of floating-point
// terms depends on theirs, a verdict must not.
func inOrder(groups []*stat.Group) []stat.Group {
	values := make([]stat.Group, 0, len(groups))
	for _, g := range groups {
		values = append(values, *g)
	}
	slices.SortFunc(values, func(a, b stat.Group) int { return cmp.Or(a.Size-b.Size, a.Hits-b.Hits) })
	return values
}

// believed gives a share that looks as declared to the verdict, unless
// connections differ too much for requests to be independent draws: then its
// test does not hold what it promises (Kish 1965, "Survey Sampling": the variance
// of a share grows by the intra-class correlation), and nothing is said. A share
// that is refuted needs no such care: what refutes it refutes independent draws
// of the declared share.
func (c conns) believed(v *record.Verdict, alpha float64, text string) {
	p := c.alike()
	if p < 1 {
		figure(v, "connections alike, p", probability(p))
	}
	if p > alpha {
		held(v, "%s", text)
		return
	}
	inconclusive(v, record.Mesh, fmt.Sprintf(
		"%s, but connections differ more than independent draws would (p %s): the test of a share cannot be believed", text, probability(p)))
}

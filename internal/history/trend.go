package history

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// Series is one measure over the runs of one kind of environment.
type Series struct {
	Kind, Of, Environment string
	Points                []Point
	Changes               []stat.Change // where it shifted: index into Points
}

// Point is one run's value.
type Point struct {
	Run      string
	At       time.Time
	Versions Versions
	Value    float64
}

// mostRuns is how far back change points are searched for: the search is
// quadratic for each of its permutations.
const mostRuns = 200

// Trends lists every measure over time, with its change points. The same
// history gives the same answer.
func (h History) Trends() []Series {
	bySeries := map[[3]string]*Series{}
	var all []*Series
	for _, entry := range h.Entries {
		for _, m := range entry.Measures {
			key := [3]string{m.Kind, m.Of, entry.Versions.Environment}
			if bySeries[key] == nil {
				bySeries[key] = &Series{Kind: m.Kind, Of: m.Of, Environment: entry.Versions.Environment}
				all = append(all, bySeries[key])
			}
			s := bySeries[key]
			s.Points = append(s.Points, Point{Run: entry.Run, At: entry.Started, Versions: entry.Versions, Value: m.Value})
		}
	}
	slices.SortFunc(all, func(a, b *Series) int {
		return cmp.Or(strings.Compare(a.Of, b.Of), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Environment, b.Environment))
	})
	series := make([]Series, len(all))
	for i, s := range all {
		s.findChanges()
		series[i] = *s
	}
	return series
}

func (s *Series) findChanges() {
	if len(s.Points) > mostRuns {
		s.Points = s.Points[len(s.Points)-mostRuns:]
	}
	values := make([]float64, len(s.Points))
	for i, p := range s.Points {
		values[i] = p.Value
	}
	random := rand.New(rand.NewPCG(uint64(len(values)), 1)) // of the data only, so that it can be redrawn
	s.Changes = stat.Changes(values, stat.Detection{Level: 0.01}, random)
}

// Flake is a promise whose verdict changed between two runs of the same
// versions: either the mesh is not deterministic or the harness is not.
type Flake struct {
	Promise string
	Runs    int // in which it was judged
	Flips   []Flip
}

// Flip is one such change.
type Flip struct {
	From, To string // runs
	Was, Is  record.Outcome
	Versions Versions
}

// Flakes lists promises that flipped without a change of versions, most flips
// first. Runs are compared with the one before them on the same versions.
func (h History) Flakes() []Flake {
	type place struct {
		promise  string
		versions Versions
	}
	type seen struct {
		run     string
		verdict record.Outcome
	}
	last := map[place]seen{}
	flakes := map[string]*Flake{}
	for _, entry := range h.Entries {
		for _, o := range entry.Verdicts {
			flake := flakes[o.Promise]
			if flake == nil {
				flake = &Flake{Promise: o.Promise}
				flakes[o.Promise] = flake
			}
			flake.Runs++
			at := place{o.Promise, entry.Versions}
			if before, found := last[at]; found && before.verdict != o.Verdict {
				flake.Flips = append(flake.Flips, Flip{From: before.run, To: entry.Run, Was: before.verdict, Is: o.Verdict, Versions: entry.Versions})
			}
			last[at] = seen{entry.Run, o.Verdict}
		}
	}
	return flipped(flakes)
}

func flipped(flakes map[string]*Flake) []Flake {
	var list []Flake
	for _, f := range flakes {
		if len(f.Flips) > 0 {
			list = append(list, *f)
		}
	}
	slices.SortFunc(list, func(a, b Flake) int {
		return cmp.Or(len(b.Flips)-len(a.Flips), strings.Compare(a.Promise, b.Promise))
	})
	return list
}

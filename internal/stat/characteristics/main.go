// Command characteristics prints the operating characteristics of the tests
// that verdicts rest on: how often they are wrong and how many requests they
// take. Every figure is computed exactly by recursion over (requests, hits),
// the truncation included; none is simulated. The output is committed as
// docs/operating-characteristics.md.
package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"gonum.org/v1/gonum/mathext"

	"github.com/wayproof/wayproof/internal/stat"
)

func main() {
	if err := render(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "characteristics:", err)
		os.Exit(1)
	}
}

const head = `# Operating characteristics

How often the share tests are wrong, and how many requests they take. Made by
` + "`go run ./internal/stat/characteristics > docs/operating-characteristics.md`" + `, exact by recursion
over (requests, hits), truncation included; a test holds this file against the program.

A sound mesh is called violated with probability *false alarm*; one that is off by delta is called
held with probability *miss*. *Undecided* is the share of trials still open at the cap N, which are
then decided by the band: the test itself never ends without a verdict.
`

func render(w io.Writer) error {
	var out strings.Builder
	out.WriteString(head)
	for _, part := range []func(io.Writer) error{designs, shares, dependence, dispersion} {
		if err := part(&out); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// goals are the share tests of the catalogue, each once; a test holds them
// against its plan, which a leaf of the imports cannot read.
var goals = []struct {
	name                  string
	perMille, delta, arms int // arms that the alpha is divided by
}{
	{"split 70/30", 700, 50, 1},
	{"split 90/10", 900, 50, 1},
	{"sampling, mirror, delay of 50 %; two pods", 500, 50, 1},
	{"split 50/30/20, first arm", 500, 50, 3},
	{"split 50/30/20, second arm", 300, 50, 3},
	{"split 50/30/20, third arm", 200, 50, 3},
	{"abort 10 % beside a delay", 100, 50, 1},
	{"abort 10 %, mirror 10 %", 100, 20, 1},
	{"not aborted, 90 %", 900, 20, 1},
	{"delayed and aborted", 50, 40, 1},
	{"sampling 50 % of a quieter waypoint, delay beside an abort", 500, 100, 1},
	{"two versions without a route", 500, 150, 1},
	{"two versions before a match", 500, 250, 1},
	{"split 70/30 under a fault", 700, 80, 1},
	{"30 % within a fault's window", 300, 150, 1},
}

func goalOf(perMille, delta, arms int) stat.Goal {
	return stat.Goal{Share: stat.PerMille(perMille), Delta: delta, Alpha: 1e-6 / float64(arms), Beta: 1e-3}
}

func designs(w io.Writer) error {
	fmt.Fprint(w, `
## The sequential tests, beta 1e-3

| claim | share | delta | alpha | fixed sample [band] | cap N [band] | false alarm | miss below | miss above | sound: mean | median | 90 % | median of fixed | undecided |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
`)
	for _, g := range goals {
		goal := goalOf(g.perMille, g.delta, g.arms)
		fixed, err := stat.DesignFixed(goal)
		if err != nil {
			return err
		}
		s, err := stat.DesignSequential(goal)
		if err != nil {
			return err
		}
		at := s.At(goal.Share)
		fmt.Fprintf(w, "| %s | %s | %g points | %.1e | %d [%d..%d] | %d [%d..%d] | %.3e | %s | %s | %.0f | %d | %d | %.3f | %.1e |\n",
			g.name, goal.Share, float64(g.delta)/10, goal.Alpha, fixed.N, fixed.Lo, fixed.Hi, s.N, s.Lo, s.Hi,
			s.FalseLow+s.FalseHigh, missed(s.MissLow), missed(s.MissHigh), at.Mean, at.Median, at.P90,
			float64(at.Median)/float64(fixed.N), at.LastLook)
	}
	return nil
}

// missed prints a miss, or a dash where the deviation does not exist.
func missed(p float64) string {
	if p == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3e", p)
}

func shares(w io.Writer) error {
	s, err := stat.DesignSequential(goalOf(700, 50, 1))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `
## A promise of 70/30 over the true share, delta 5 points, N = %d

| true share | P(held) | P(violated) | mean | median | 90 %% | undecided at N |
|---|---|---|---|---|---|---|
`, s.N)
	for _, p := range []int{500, 600, 630, 650, 660, 670, 675, 680, 690, 700, 710, 720, 730, 740, 750, 770, 800} {
		at := s.At(stat.PerMille(p))
		fmt.Fprintf(w, "| %s | %.3e | %.3e | %.0f | %d | %d | %.1e |\n", stat.PerMille(p), at.Held, at.Low+at.High, at.Mean, at.Median, at.P90, at.LastLook)
	}
	return nil
}

func dependence(w io.Writer) error {
	fmt.Fprint(w, `
## The runs test, 70 % of n requests, p below which it rejects on either side: 5e-7

| n | expected runs | rejects up to | rejects from | that is a lag-1 correlation of about |
|---|---|---|---|---|
`)
	for _, n := range []int{500, 1000, 2000, 5590, 6690} {
		r := stat.Runs{Ones: n * 7 / 10, Zeros: n - n*7/10}
		few, many := rejects(r, 5e-7)
		mean := 1 + 2*float64(r.Ones)*float64(r.Zeros)/float64(n)
		fmt.Fprintf(w, "| %d | %.0f | %d | %d | %+.3f, %+.3f |\n", n, mean, few, many, 1-float64(few)/mean, 1-float64(many)/mean)
	}
	return nil
}

// rejects finds the largest number of runs that is too few and the smallest
// that is too many, by summing from the ends.
func rejects(r stat.Runs, level float64) (few, many int) {
	for sum := r.Exactly(2); sum <= level; sum += r.Exactly(few + 1) {
		few = max(few, 1) + 1
	}
	many = r.Ones + r.Zeros + 1
	for sum := r.Exactly(many - 1); sum <= level; sum += r.Exactly(many - 1) {
		many--
	}
	return few, many
}

func dispersion(w io.Writer) error {
	fmt.Fprint(w, `
## The chi-squared approximation of the dispersion test, share 70 %

The true probability that groups of independent picks disperse at least as much (over) or at most
as much (under) as the approximation allows at a level, by convolution over the groups at the known
share. The claim asks for a tenth of its level, so a factor below 10 keeps its promise. Counts are
integers: two groups are often exactly equal, so "under" is only asked of 16 groups and more.

| groups | requests per group | level | over: true probability | factor | under: true probability | factor |
|---|---|---|---|---|---|---|
`)
	for _, groups := range []int{2, 16, 32} {
		for _, size := range []int{20, 50, 200} {
			sum := sumsOf(groups, size)
			for _, level := range levels {
				over, under := sum.beyond(level)
				fmt.Fprintf(w, "| %d | %d | %.0e | %.2e | %.2f | %.2e | %.2f |\n", groups, size, level, over, over/level, under, under/level)
			}
		}
	}
	return nil
}

// levels are those of the table, the smallest last.
var levels = []float64{1e-3, 1e-5, 3e-8}

// sums is the distribution of the sum of squared deviations over groups, an
// integer where seven tenths of the group's size are; what is beyond the
// smallest level is only counted.
type sums struct {
	mass       []float64
	beyondAll  float64
	half, unit float64
}

func sumsOf(groups, size int) sums {
	const p = 0.7
	s := sums{half: float64(groups) / 2, unit: float64(size) * p * (1 - p)}
	limit := 2 * mathext.GammaIncRegCompInv(s.half, levels[len(levels)-1]) * s.unit
	s.mass = make([]float64, int(math.Ceil(limit)))
	s.mass[0] = 1
	for range groups {
		s.mass, s.beyondAll = convolve(s.mass, s.beyondAll, size)
	}
	return s
}

// beyond gives the true probability of both rejections at a level.
func (s sums) beyond(level float64) (over, under float64) {
	high := 2 * mathext.GammaIncRegCompInv(s.half, level) * s.unit
	low := 2 * mathext.GammaIncRegInv(s.half, level) * s.unit
	over = s.beyondAll
	for sum, m := range s.mass {
		if float64(sum) >= high {
			over += m
		}
		if float64(sum) <= low {
			under += m
		}
	}
	return over, under
}

// convolve adds one group; what leaves the kept sums is over for good.
//
//go:norace
func convolve(mass []float64, over float64, size int) ([]float64, float64) {
	next := make([]float64, len(mass))
	for x := range size + 1 {
		off := x - size*7/10
		weight := stat.Exactly(x, size, 0.7)
		if weight < 1e-20 {
			continue // far below every level of the table
		}
		for sum, m := range mass {
			if to := sum + off*off; to < len(next) {
				next[to] += m * weight
			} else {
				over += m * weight
			}
		}
	}
	return next, over
}

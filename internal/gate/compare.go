package gate

import (
	"fmt"
	"math"

	"github.com/wayproof/wayproof/internal/stat"
)

// Compared is one quantity of both runs.
type Compared struct {
	Of       string // the stage or promise
	Quantity string // "share of v1", "p90 of the latency", "errors"
	Baseline string
	Run      string
	P        float64 // of a difference that matters; Holm decides over all of them
	Differs  bool
	Ruling   Ruling
	// Why is the difference in words, or how coarse the comparison was.
	Why string
}

// trial is a quantity before Holm's procedure has spoken.
type trial struct {
	Compared
	better  bool   // a difference, if it is one, is for the better
	watched bool   // may stay untold: asked for so, or for want of requests that no run makes
	coarse  string // why a difference that matters could have been missed, or ""
	change  string // the difference in words
}

// compare fills in the comparison. The trials are known beforehand from the
// plans, never chosen by what was seen.
func (p pair) compare(d *Decision) {
	d.Notes = append(d.Notes, p.onlyOne()...)
	if reasons := p.environments(); len(reasons) > 0 && !p.policy.AnyEnvironment {
		d.Incomparable = reasons
		return
	}
	names, reasons := p.common()
	d.Incomparable = append(d.Incomparable, reasons...)
	if len(names) == 0 {
		d.Incomparable = append(d.Incomparable, "the runs have no stage in common that was driven alike")
		return
	}
	d.Compared = p.decide(p.trials(names, d))
	if len(d.Compared) == 0 {
		d.Incomparable = append(d.Incomparable, "the stages in common are too small to compare anything")
	}
}

// trials lists what is compared. They are counted beforehand: how coarse each
// may be depends on how many there are.
func (p pair) trials(names []string, d *Decision) []trial {
	shares := p.shares(names, d)
	// A stage whose plan is too small at the level that is left when all are
	// counted is not compared; without it the level only rises.
	level := p.policy.Alpha / float64(max(1, len(shares)+p.count(names, p.policy.Alpha)))
	strict := p.policy.Alpha / float64(max(1, len(shares)+p.count(names, level)))
	var trials []trial
	for _, s := range shares {
		trials = append(trials, p.shareTrial(s, strict))
	}
	for _, name := range names {
		if p.plansErrors(name, level) {
			trials = append(trials, p.errorTrial(name, strict))
		}
		for _, q := range p.plannedQuantiles(name, level) {
			trials = append(trials, p.latencyTrial(name, q, strict))
		}
	}
	return trials
}

// count is the number of errors and latencies that are compared at a level.
func (p pair) count(names []string, level float64) int {
	count := 0
	for _, name := range names {
		if count += len(p.plannedQuantiles(name, level)); p.plansErrors(name, level) {
			count++
		}
	}
	return count
}

// decide lets Holm's procedure speak and rules on every trial.
func (p pair) decide(trials []trial) []Compared {
	values := make([]float64, len(trials))
	for i, t := range trials {
		values[i] = t.P
	}
	rejected := stat.Holm(values, p.policy.Alpha)
	compared := make([]Compared, len(trials))
	for i, t := range trials {
		compared[i] = t.rule(rejected[i])
	}
	return compared
}

func (t trial) rule(rejected bool) Compared {
	c := t.Compared
	switch {
	case rejected && t.better:
		c.Differs, c.Ruling, c.Why = true, Passed, t.change+", for the better"
	case rejected:
		c.Differs, c.Ruling, c.Why = true, Failed, t.change
	case t.coarse != "" && t.watched:
		c.Ruling, c.Why = Left, t.coarse
	case t.coarse != "":
		c.Ruling, c.Why = Open, t.coarse
	default:
		c.Ruling, c.Why = Passed, "no difference that matters"
	}
	return c
}

// tooCoarse says that a difference of shares as large as the limit could have
// been seen and would not have counted at the strict level, or "".
func tooCoarse(base, run stat.Group, perMille int, strict float64) string {
	if base.Size == 0 || run.Size == 0 {
		return "too few requests: one side has none"
	}
	limit := float64(perMille) / 1000
	if reach := int(math.Ceil(limit * float64(run.Size))); toldApart(base, run.Size, reach, strict) {
		return ""
	}
	smallest := "no difference"
	if steps := first(run.Size, func(step int) bool { return toldApart(base, run.Size, step, strict) }); steps > 0 {
		smallest = fmt.Sprintf("only a difference of %s", points(float64(steps)/float64(run.Size)))
	}
	return fmt.Sprintf("too few requests: %s would have counted, %s are asked for", smallest, points(limit))
}

// toldApart reports whether a run with so many hits more, or so many fewer,
// than the baseline's share gives would be told from the baseline.
func toldApart(base stat.Group, size, step int, strict float64) bool {
	middle := int(math.Round(float64(base.Hits) / float64(base.Size) * float64(size)))
	for _, hits := range [...]int{middle + step, middle - step} {
		if hits >= 0 && hits <= size && stat.Fisher(base, stat.Group{Hits: hits, Size: size}) <= strict {
			return true
		}
	}
	return false
}

// first is the smallest step in 1..most for which found, which stays true once
// it is, is true; 0 if it never is.
func first(most int, found func(step int) bool) int {
	for step := 1; step <= most; step += max(1, step/50) {
		if found(step) {
			return step
		}
	}
	return 0
}

func percent(g stat.Group) string {
	if g.Size == 0 {
		return "no data"
	}
	return fmt.Sprintf("%.1f %% (%d/%d)", 100*float64(g.Hits)/float64(g.Size), g.Hits, g.Size)
}

func points(share float64) string { return fmt.Sprintf("%.1f points", 100*share) }

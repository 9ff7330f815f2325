package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// side is a run with what was measured of it.
type side struct {
	Run
	samples samples
}

func (s side) head() *record.Run { return s.Source.Run() }

// pair is the baseline and the run that is held against it.
type pair struct {
	policy    Comparison
	must      []string // whose shares are compared
	base, run side
}

// environments says why the runs were made on things that are not alike. That
// versions differ is no reason: it is what a comparison is for.
func (p pair) environments() []string {
	was, is := p.base.head().Environment, p.run.head().Environment
	var reasons []string
	differ := func(what, before, after string) {
		if before != after {
			reasons = append(reasons, fmt.Sprintf("%s: %s in the baseline, %s in the run", what, before, after))
		}
	}
	differ("environment", was.Name, is.Name)
	differ("node proxy", proxyKind(was), proxyKind(is))
	differ("nodes", fmt.Sprint(was.Nodes), fmt.Sprint(is.Nodes))
	return reasons
}

func proxyKind(e record.Environment) string {
	if e.HasStandIn() {
		return record.StandIn
	}
	return "ztunnel"
}

// common lists the stages that both runs have and that were driven alike, in
// the run's order, and says of the others why they cannot be compared.
func (p pair) common() (names, reasons []string) {
	for _, stage := range p.run.head().Stages {
		was, found := p.base.samples[stage.Name]
		if !found {
			continue
		}
		if reason := loadsDiffer(was.stage.Load, stage.Load); reason != "" {
			reasons = append(reasons, fmt.Sprintf("stage %s: %s", stage.Name, reason))
			continue
		}
		if slices.Contains(names, stage.Name) {
			reasons = append(reasons, fmt.Sprintf("stage %s is in the run twice", stage.Name))
			continue
		}
		names = append(names, stage.Name)
	}
	return names, reasons
}

// onlyOne counts what one of the runs has and the other has not: no reason to
// refuse, and worth knowing.
func (p pair) onlyOne() []string {
	return append(lacking(p.base.samples, p.run.samples, "baseline"), lacking(p.run.samples, p.base.samples, "run")...)
}

// lacking notes the stages of one side that the other has not.
func lacking(of, from samples, side string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if _, found := from[name]; !found {
			names = append(names, name)
		}
	}
	const most = 3
	switch {
	case len(names) == 0:
		return nil
	case len(names) > most:
		return []string{fmt.Sprintf("%d stages are in the %s only: %s, …", len(names), side, strings.Join(names[:most], ", "))}
	}
	return []string{fmt.Sprintf("in the %s only: %s", side, strings.Join(names, ", "))}
}

// loadsDiffer compares what was planned; the prefix of ids is new in every run.
func loadsDiffer(was, is record.Load) string {
	fields := [...]struct {
		name       string
		before, is any
	}{
		{"rate", was.Rate, is.Rate},
		{"requests", was.Hits, is.Hits},
		{"clients", was.Clients, is.Clients},
		{"timeout", was.Timeout, is.Timeout},
		{"connections", was.Connections, is.Connections},
		{"pacing", was.Pacing, is.Pacing},
		{"reconnect", was.Reconnect, is.Reconnect},
		{"targets", len(was.Targets), len(is.Targets)},
	}
	for _, f := range fields {
		if f.before != f.is {
			return fmt.Sprintf("%s %v in the baseline, %v in the run", f.name, f.before, f.is)
		}
	}
	before, now := byName(was.Targets), byName(is.Targets)
	for i, a := range before {
		b := now[i]
		if a.Name != b.Name || a.Method != b.Method || a.URL != b.URL || a.Body != b.Body || !maps.Equal(a.Header, b.Header) {
			return fmt.Sprintf("target %s is %s %s in the baseline, %s is %s %s in the run", a.Name, a.Method, a.URL, b.Name, b.Method, b.URL)
		}
	}
	return ""
}

// byName are targets without the order in which they take turns, which each run
// draws from its own seed.
func byName(targets []record.Target) []record.Target {
	return slices.SortedFunc(slices.Values(targets), func(a, b record.Target) int { return strings.Compare(a.Name, b.Name) })
}

// faulty reports a stage of a spec that injects a fault: requests of an outage
// fail together, so that neither their errors nor their latencies may be
// counted as independent. Recovery budgets are for those.
func (p pair) faulty(stage *record.Stage) bool {
	for _, head := range [...]*record.Run{p.base.head(), p.run.head()} {
		for _, w := range head.Windows {
			if w.Spec == stage.Spec && w.Fault != "" {
				return true
			}
		}
	}
	return false
}

package gate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// share is one share that both runs measured.
type share struct {
	promise   string
	quantity  string
	base, run stat.Group
	better    bool   // the baseline broke its promise and the run holds it
	delta     int    // per mille, what the promise calls a deviation
	held      bool   // both runs were shown to be within delta of what is declared
	broken    string // why one of the sides cannot be used
}

// shares lists the shares that both plans promise in the same words, of the
// promises that the policy asks for. A promise
// that declares something else today is not compared: it is named.
func (p pair) shares(names []string, d *Decision) []share {
	var found []share
	for _, promise := range p.run.head().Plan.Promises {
		was, ok := promiseOf(p.base.head().Plan, promise.ID)
		if !ok || !matchesAny(p.must, promise.ID) || !slices.ContainsFunc(promise.Stages, func(s string) bool { return slices.Contains(names, s) }) {
			continue
		}
		if was.Kind != promise.Kind || !bytes.Equal(compact(was.Params), compact(promise.Params)) {
			d.Incomparable = append(d.Incomparable, fmt.Sprintf("promise %s declares something else than in the baseline", promise.ID))
			continue
		}
		switch promise.Kind {
		case claim.KindSplit:
			found = append(found, p.arms(promise)...)
		case claim.KindShare:
			found = append(found, p.counted(promise)...)
		}
	}
	return found
}

func promiseOf(plan record.Plan, id string) (record.Promise, bool) {
	for _, promise := range plan.Promises {
		if promise.ID == id {
			return promise, true
		}
	}
	return record.Promise{}, false
}

// compact makes parameters comparable that were indented by a writer of JSON.
func compact(text json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}

// arms are the shares of a split: of two versions one says all, of more each
// is compared. All requests of the stage count, also those after the split's
// own sequential test had seen enough.
func (p pair) arms(promise record.Promise) []share {
	var params claim.SplitParams
	if json.Unmarshal(promise.Params, &params) != nil || len(promise.Stages) == 0 {
		return nil
	}
	var weighed []claim.Arm
	for _, a := range params.Arms {
		if a.Weight > 0 {
			weighed = append(weighed, a)
		}
	}
	if len(weighed) < 2 {
		return nil // one counterexample refutes it: nothing to compare
	}
	if len(weighed) == 2 {
		weighed = weighed[:1]
	}
	var shares []share
	for _, a := range weighed {
		s := p.share(promise.ID, "share of "+a.Version)
		was, is := p.base.samples[promise.Stages[0]], p.run.samples[promise.Stages[0]]
		s.base, s.run = was.count(params.Targets, a.Version), is.count(params.Targets, a.Version)
		s.broken = firstOf(was.broken, is.broken)
		shares = append(shares, s)
	}
	return shares
}

func (p pair) share(id, quantity string) share {
	was, is := verdictOf(p.base.Verdicts, id), verdictOf(p.run.Verdicts, id)
	return share{
		promise: id, quantity: quantity, delta: is.Delta,
		better: was.Verdict == record.Violated && is.Verdict == record.Held,
		held:   was.Verdict == record.Held && is.Verdict == record.Held && was.Delta == is.Delta,
	}
}

// count gives how many answered requests of the chosen targets a version had.
func (s *sample) count(targets []string, version string) (g stat.Group) {
	for key, n := range s.arms {
		if len(targets) > 0 && !(key.target >= 0 && key.target < len(s.stage.Load.Targets) && slices.Contains(targets, s.stage.Load.Targets[key.target].Name)) {
			continue
		}
		g.Size += n
		if key.version == version {
			g.Hits += n
		}
	}
	return g
}

// counted are shares that only the claim itself can count (of copies, of trace
// contexts): the figures of the recomputed verdicts are compared.
func (p pair) counted(promise record.Promise) []share {
	var params claim.ShareParams
	if json.Unmarshal(promise.Params, &params) != nil || params.PerMille <= 0 || params.PerMille >= 1000 {
		return nil
	}
	s := p.share(promise.ID, "share "+params.Label)
	was, is := verdictOf(p.base.Verdicts, promise.ID), verdictOf(p.run.Verdicts, promise.ID)
	s.base, s.run = groupOf(was, params.Label), groupOf(is, params.Label)
	return []share{s}
}

func groupOf(v record.Verdict, label string) stat.Group {
	for _, f := range v.Figures {
		if hits, err := strconv.Atoi(f.Value); f.Name == "hits "+label && err == nil && hits >= 0 && hits <= v.N {
			return stat.Group{Hits: hits, Size: v.N}
		}
	}
	return stat.Group{}
}

// shareTrial compares by Fisher's exact test. Runs that were both shown to be
// within a deviation of what is declared differ by at most twice that, whatever
// the number of requests that showed it.
func (p pair) shareTrial(s share, strict float64) trial {
	t := trial{better: s.better, Compared: Compared{
		Of: s.promise, Quantity: s.quantity, Baseline: percent(s.base), Run: percent(s.run), P: 1,
	}}
	if s.broken != "" {
		t.coarse = s.broken
		return t
	}
	limit := cmp.Or(p.policy.SharePerMille, 2*s.delta)
	if !s.held || 2*s.delta > limit {
		t.coarse = tooCoarse(s.base, s.run, limit, strict)
	}
	if s.base.Size > 0 && s.run.Size > 0 {
		t.P, t.change = stat.Fisher(s.base, s.run), fmt.Sprintf("%s → %s", percent(s.base), percent(s.run))
	}
	return t
}

// plansErrors reports a stage that was planned large enough to compare errors.
func (p pair) plansErrors(name string, level float64) bool {
	stage := p.run.samples[name].stage
	if p.faulty(stage) {
		return false
	}
	clean := stat.Group{Size: min(stage.Load.Hits, plentyOfRequests)}
	return tooCoarse(clean, clean, p.policy.ErrorsPerMille, level) == ""
}

// plentyOfRequests bounds the arithmetic on plans: more are only finer.
const plentyOfRequests = 100_000

// errorTrial compares the share of requests that failed.
func (p pair) errorTrial(name string, strict float64) trial {
	was, is := p.base.samples[name], p.run.samples[name]
	before, after := stat.Group{Hits: was.failed, Size: was.size()}, stat.Group{Hits: is.failed, Size: is.size()}
	t := trial{Compared: Compared{Of: name, Quantity: "errors", Baseline: percent(before), Run: percent(after), P: 1}}
	if t.coarse = firstOf(was.broken, is.broken); t.coarse != "" {
		return t
	}
	if t.coarse = tooCoarse(before, after, p.policy.ErrorsPerMille, strict); before.Size > 0 && after.Size > 0 {
		t.P, t.change = stat.Fisher(before, after), fmt.Sprintf("%s → %s", percent(before), percent(after))
	}
	t.better = after.Hits*before.Size < before.Hits*after.Size
	t.watched = stopped(was, is) || often(before) && often(after)
	return t
}

// stopped reports that a stage ended once its promises were decided: how many
// requests that takes is not the run's fault.
func stopped(was, is *sample) bool { return was.stage.Health.Stopped || is.stage.Health.Stopped }

// often reports that more than one request in twenty failed: outside of faults
// that is what the stage is about, and its promises count it exactly.
func often(g stat.Group) bool { return 20*g.Hits > g.Size }

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

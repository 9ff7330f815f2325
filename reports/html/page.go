package html

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
	"github.com/wayproof/wayproof/reports/summary"
)

// page is what the template shows. Its strings are as the record has them,
// without control characters; the template escapes them.
type page struct {
	Policy string
	Style  template.CSS
	Script template.JS

	ID, Sentence string
	Worst        badge
	Counts       []badge
	When         string
	StandIn      bool
	Broken       string
	Facts        []fact
	Tasks        []task
	Graph        template.HTML
	Calls        []call
	Untold       int // calls between services
	Components   []record.Component
	Lacks        []record.Lack
	Findings     []record.Finding
	Stages       []stageRow
	Replay, Run  string
}

// badge is an outcome: its sign, its word, its class, how many there are.
type badge struct {
	Sign, Word, Class string
	N                 int
}

type fact struct{ Name, Value string }

type task struct {
	Name     string
	Promises []promise
}

// stageRow says how the generator did in a stage.
type stageRow struct {
	Name, Load, Sent, Lag, Note string
}

func newPage(run *record.Run, d *digest.Digest, dir string) (*page, error) {
	style, styleHash, err := asset("style.css")
	if err != nil {
		return nil, err
	}
	script, scriptHash, err := asset("page.js")
	if err != nil {
		return nil, err
	}
	p := &page{
		Policy: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", styleHash, scriptHash),
		Style:  template.CSS(style), Script: template.JS(script),
		ID: plain.Line(run.ID), When: when(run), StandIn: run.Environment.HasStandIn(),
		Facts: facts(run, d), Components: components(run), Lacks: lacks(run), Findings: findings(run), Stages: stageRows(run),
		Graph: trafficGraph(d.Traffic), Calls: trafficTable(d.Traffic),
		Replay: "wayproof replay " + summary.Place(run, dir), Run: plain.Line(run.Command),
	}
	if d.Incomplete != nil {
		p.Broken = plain.Line(d.Incomplete.Error())
	}
	for _, e := range d.Traffic {
		p.Untold += e.Untold
	}
	p.judge(run, d, dir)
	return p, nil
}

// judge fills in what depends on verdicts.
func (p *page) judge(run *record.Run, d *digest.Digest, dir string) {
	verdicts := outcome.Judged(run)
	tally := outcome.Count(verdicts)
	p.Sentence, p.Worst = tally.Sentence(), newBadge(tally.Worst())
	for _, o := range outcome.All() {
		if n := tally.Of(o); n > 0 {
			b := newBadge(o)
			b.N = n
			p.Counts = append(p.Counts, b)
		}
	}
	number := 0
	for _, group := range outcome.ByTask(verdicts) {
		t := task{Name: plain.Line(group.Name)}
		for _, v := range group.Verdicts {
			number++
			one := newPromise(run, d, v, dir)
			one.Anchor = fmt.Sprintf("p%d", number)
			t.Promises = append(t.Promises, one)
		}
		p.Tasks = append(p.Tasks, t)
	}
}

func newBadge(o record.Outcome) badge {
	word := plain.Line(string(o))
	if word == "" {
		word = "no verdict"
	}
	return badge{Sign: outcome.Sign(o), Word: word, Class: outcome.Slug(o)}
}

func when(run *record.Run) string {
	if run.Started.IsZero() {
		return ""
	}
	text := run.Started.UTC().Format("2 January 2006, 15:04 UTC")
	if run.Ended.After(run.Started) {
		text += ", " + run.Ended.Sub(run.Started).Round(time.Second).String()
	}
	return text
}

func facts(run *record.Run, d *digest.Digest) []fact {
	env := run.Environment
	gateway := strings.TrimSpace(env.GatewayAPI + " " + env.Channel)
	all := []fact{
		{"Istio", env.Istio},
		{"Kubernetes", env.Kubernetes},
		{"Gateway API", gateway},
		{"Node proxy", env.NodeProxy},
		{"Waypoint", env.Waypoint},
		{"wayproof", run.Wayproof},
		{"Environment", env.Name},
		{"Nodes", positive(env.Nodes)},
		{"Requests", positive(d.Observed)},
		{"Seed", fmt.Sprint(run.Seed)},
		{"False-alarm budget", budget(run)},
	}
	var out []fact
	for _, f := range all {
		if f.Value != "" {
			out = append(out, fact{f.Name, plain.Line(f.Value)})
		}
	}
	return out
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// budget shows how the run's budget is divided over its promises.
func budget(run *record.Run) string {
	if run.Plan.Alpha == 0 {
		return ""
	}
	used := 0.0
	for _, p := range run.Plan.Promises {
		used += p.Alpha
	}
	return fmt.Sprintf("%s for the run, %s given to %d promises",
		summary.Probability(run.Plan.Alpha), summary.Probability(used), len(run.Plan.Promises))
}

func components(run *record.Run) []record.Component {
	var out []record.Component
	for _, c := range run.Environment.Components {
		out = append(out, record.Component{
			Name: plain.Line(c.Name), Version: plain.Line(c.Version), Image: plain.Line(c.Image), Source: plain.Line(c.Source),
		})
	}
	return out
}

func lacks(run *record.Run) []record.Lack {
	var out []record.Lack
	for _, l := range run.Environment.Lacks {
		out = append(out, record.Lack{Ability: plain.Line(l.Ability), Reason: plain.Line(l.Reason)})
	}
	return out
}

func findings(run *record.Run) []record.Finding {
	var out []record.Finding
	for _, f := range run.Findings {
		out = append(out, record.Finding{Task: plain.Line(f.Task), Object: plain.Line(f.Object), Text: plain.Line(f.Text)})
	}
	return out
}

func stageRows(run *record.Run) []stageRow {
	var out []stageRow
	for _, s := range run.Stages {
		h := s.Health
		note := strings.Join(append([]string{h.Error}, s.Missing...), "; ")
		if h.Stopped {
			note = strings.TrimPrefix(note+"; stopped early by the test", "; ")
		}
		out = append(out, stageRow{
			Name: plain.Line(s.Name),
			Load: fmt.Sprintf("%g/s, %d clients, %s", s.Load.Rate, s.Load.Clients, plain.Line(s.Load.Connections)),
			Sent: fmt.Sprintf("%d of %d", h.Sent, h.Planned), Lag: h.LagP99.String(), Note: plain.Line(strings.Trim(note, "; ")),
		})
	}
	return out
}
